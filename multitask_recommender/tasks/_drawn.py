"""Negatives that are drawn: how often each item is, and the candidates of a batch that are drawn.

A batch of thousands of rows has thousands of items, of which none is a negative but by chance where
negatives are drawn alone. Then each positive is scored by itself, and the matrix of scores is of
queries and drawn items.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from multitask_recommender.schema import PAD
from multitask_recommender.tasks._batch import Batch


def share_of(counts: np.ndarray, power: float) -> np.ndarray:
    """Each item's share of count ** power, 0 for the padding, float64 [I + 1].

    An item without training events counts as one half, so that every share is defined.
    """
    weights = np.maximum(counts, 0.5).astype(np.float64) ** power
    weights[PAD] = 0
    return weights / weights.sum()


def log_of(shares: np.ndarray) -> np.ndarray:
    """float32; -inf for the padding."""
    with np.errstate(divide="ignore"):
        return np.log(shares).astype(np.float32)


def drawn_alone(batch: Batch) -> tuple[Batch, tf.Tensor]:
    """The same rows with the drawn items as candidates, and the places of these before.

    `candidate_rows` are the places of the rows' own items, where they were drawn, and else any.
    """
    places = tf.sort(tf.unique(tf.searchsorted(batch.ids, batch.drawn)).y)
    own = tf.searchsorted(places, batch.candidate_rows)
    drawn = dataclasses.replace(
        batch,
        ids=tf.gather(batch.ids, places),
        candidates=tf.gather(batch.candidates, places),
        candidate_rows=tf.minimum(own, tf.size(places) - 1),
    )
    return drawn, places
