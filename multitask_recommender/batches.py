"""Interactions as batches: a tf.data pipeline that is a pure function of (seed, epoch, step).

A place in the data is one integer, the step since the start of training. Row (or user) `i` of an
epoch is row `shuffle(i)` of the data, `shuffle` being a keyed permutation that needs no memory (a
block cipher, `tf.random.experimental.index_shuffle`), and a batch is gathered from whole columns at
once, from memory or from a file that is mapped into it. So a pipeline that starts at step s yields
what it would have yielded had it started at 0.
"""

import math

import numpy as np
import tensorflow as tf

from multitask_recommender.histories import Recent
from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import HISTORY, observed_key

Features = dict[str, tf.Tensor]
Columns = dict[str, np.ndarray]

NO_SEED = (0, 0)  # where nothing is drawn: outside training
STEP_SEED = "step_seed"  # int32 [2]: the batch's own randomness, for dropout and negatives


def columns(interactions: Interactions, rows: np.ndarray | slice = slice(None)) -> Columns:
    """What a batch of these rows holds, [n] each: inputs, labels (0 if unobserved), masks."""
    arrays = _without_full_masks(interactions, rows)
    for label in _fully_observed(interactions):
        arrays[observed_key(label)] = np.ones(len(arrays[label]), np.float32)
    return arrays


def _fully_observed(interactions: Interactions) -> list[str]:
    return [label for label in interactions.labels if label not in interactions.observed]


def _without_full_masks(interactions: Interactions, rows: np.ndarray | slice) -> Columns:
    """Without the masks of labels that are observed in every row."""
    # Timestamps are told by HISTORY, to models that ask for one.
    arrays = interactions.inputs(rows, with_timestamps=False)
    for label, values in interactions.labels.items():
        mask = interactions.observed.get(label)
        if mask is None:
            arrays[label] = values[rows].astype(np.float32)
        else:
            arrays[label] = np.where(mask[rows], values[rows], 0).astype(np.float32)
            arrays[observed_key(label)] = mask[rows].astype(np.float32)
    return arrays


class _Columns:
    """Columns of any rows, as a TensorFlow op that reads arrays where they are: maybe on disk."""

    def __init__(self, interactions: Interactions, recent: Recent | None) -> None:
        self._interactions = interactions
        self._recent = recent
        if recent is not None:
            self._ends = recent.ends(interactions.user_ids, interactions.timestamps)
        self._example = self._arrays(np.arange(0))

    def __call__(self, rows: tf.Tensor) -> Features:
        types = [tf.as_dtype(array.dtype) for array in self._example.values()]
        gathered = tf.numpy_function(
            lambda rows: list(self._arrays(rows).values()), [rows], types, stateful=False
        )
        for tensor, array in zip(gathered, self._example.values(), strict=True):
            tensor.set_shape([None, *array.shape[1:]])
        features = dict(zip(self._example, gathered, strict=True))
        # Made here, where they need not be carried over.
        for label in _fully_observed(self._interactions):
            features[observed_key(label)] = tf.ones_like(features[label])
        return features

    def _arrays(self, rows: np.ndarray) -> Columns:
        arrays = _without_full_masks(self._interactions, rows)
        if self._recent is not None:
            user_ids = self._interactions.user_ids[rows]
            arrays[HISTORY] = self._recent.windows(user_ids, self._ends[rows])
        return arrays


class TrainingBatches:
    """Endless shuffled batches, each epoch in an order of its own.

    by_user: a batch holds whole users, about `batch_size` rows of them, so that what depends on
    the user alone (a softmax over the catalogue) is computed once for all of a user's rows.
    recent: for models that read it, what each row's user has met before: HISTORY [B, T].
    """

    def __init__(
        self,
        interactions: Interactions,
        batch_size: int,
        seed: int,
        by_user: bool = False,
        recent: Recent | None = None,
    ) -> None:
        self._columns = _Columns(interactions, recent)
        self._seed = tf.constant(seed, tf.int64)
        self._rows_of = None
        self._num_units, self._batch_units = len(interactions), batch_size
        if by_user:
            order = np.argsort(interactions.user_ids, kind="stable")
            _, starts = np.unique(interactions.user_ids[order], return_index=True)
            splits = np.append(starts, len(order))
            self._rows_of = tf.RaggedTensor.from_row_splits(order, splits, validate=False)
            self._num_units = len(starts)
            self._batch_units = max(1, round(batch_size * len(starts) / len(order)))
        # The last batch of an epoch may be smaller; no row is left out.
        self.steps_per_epoch = math.ceil(self._num_units / self._batch_units)

    def dataset(self, start: int = 0) -> tf.data.Dataset:
        """Batches from step `start` on."""
        steps = tf.data.Dataset.range(start, np.iinfo(np.int64).max)
        return steps.map(self._batch, num_parallel_calls=2, deterministic=True).prefetch(4)

    def batch(self, step: int) -> Features:
        """The batch of one step."""
        return self._batch(tf.constant(step, tf.int64))

    def _batch(self, step: tf.Tensor) -> Features:
        epoch = step // self.steps_per_epoch
        place = step % self.steps_per_epoch * self._batch_units
        units = tf.range(place, tf.minimum(place + self._batch_units, self._num_units))
        # The cipher reads of a word half as many bits as a row's number has: 8, of up to 65,536
        # rows. So the first word counts on where the second begins anew, and seeds that are a
        # multiple of 256 apart shuffle such data alike.
        key = tf.stack([self._seed + epoch // 256, epoch])
        last = tf.constant(self._num_units - 1, tf.int64)
        rows = tf.random.experimental.index_shuffle(units, key, last)
        if self._rows_of is not None:
            rows = tf.gather(self._rows_of, rows).values
        return self._columns(rows) | {STEP_SEED: tf.cast(tf.stack([self._seed, step]), tf.int32)}


def ordered_batches(
    interactions: Interactions, batch_size: int, recent: Recent | None = None
) -> tf.data.Dataset:
    """Each row once, in order: for a loss over held-out rows."""
    columns_of = _Columns(interactions, recent)
    seed = tf.zeros([2], tf.int32)
    rows = tf.data.Dataset.range(len(interactions)).batch(batch_size)
    return rows.map(lambda each: columns_of(each) | {STEP_SEED: seed}).prefetch(2)
