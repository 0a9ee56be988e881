"""A batch among replicas: whose rows are whose, and what each must know of the whole batch.

The *queries* of a batch are dealt out, in equal contiguous shares in the order in which they first
come, and rows go where their query goes; a history that rows share counts as one. So no query is
computed twice, and what is left of a batch's work is divided evenly. *Candidates* are not dealt
out: a loss sets every query against the items of the whole batch, whose vectors each replica makes
from its own copy of the tables. To gather them from the others would move [C, D] numbers forth and
as many back at every step, in order to save what is mostly a look-up.

A share holds the columns of its own rows, and the ids and labels of all rows (WHOLE): candidates,
how often each occurs, and the number of rows that a mean is over follow from these, without any
exchange. A loss of a share is its part of the mean: over replicas they add up to the loss, and
their gradients to the gradient. Features without WHOLE are a whole batch.
"""

import dataclasses
from typing import Any

import tensorflow as tf

from multitask_recommender.schema import (
    HISTORY,
    HISTORY_LENGTH,
    HISTORY_ROW,
    ITEM_ID,
    USER_ID,
    observed_key,
)

WHOLE = "whole"
_PLACES = "places"  # in WHOLE: which of its rows the share holds, [n]
_HISTORIES = "histories"  # in WHOLE: the first of the histories that the share holds, and how many

Features = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Lines:
    """Which lines of a tensor of the whole batch a share holds."""

    places: tf.Tensor  # int [n]
    number: tf.Tensor  # int, of the whole batch
    ids: tf.Tensor | None = None  # [number]: of which user each line of the whole batch is


def take(columns: Features, share: tf.Tensor, number: int) -> Features:
    """Share 0..number - 1 of a batch; all columns are by row, but for histories that rows share."""
    rows_share = HISTORY_ROW in columns
    units = columns[HISTORY_ROW] if rows_share else tf.unique(columns[USER_ID]).idx
    num_units = tf.shape(columns[HISTORY])[0] if rows_share else tf.reduce_max(units) + 1
    share = tf.cast(share, tf.int32)
    first, end = share * num_units // number, (share + 1) * num_units // number
    places = tf.where((units >= first) & (units < end))[:, 0]
    by_row = set(columns) - ({HISTORY} if rows_share else set())
    own = {name: tf.gather(columns[name], places) for name in by_row}
    if rows_share:
        own[HISTORY] = columns[HISTORY][first:end]
        own[HISTORY_ROW] -= first
    return own | {WHOLE: _known_of_all(columns) | {_PLACES: places, _HISTORIES: [first, num_units]}}


def whole(features: Features) -> Features:
    """Ids and labels of the whole batch that some features are a share of."""
    return features.get(WHOLE, features)


def is_share(features: Features) -> bool:
    return WHOLE in features


def fraction(features: Features) -> tf.Tensor:
    """The share's part of the batch's rows: how much of what is of no row counts in it."""
    own, every = (tf.size(each[USER_ID]) for each in (features, features[WHOLE]))
    return tf.cast(own, tf.float32) / tf.cast(every, tf.float32)


def rows(features: Features) -> Lines | None:
    """Of the batch's rows; None where features are a whole batch."""
    if not is_share(features):
        return None
    every = features[WHOLE]
    return Lines(every[_PLACES], tf.size(every[USER_ID]), every[USER_ID])


def distinct(features: Features, of_rows: Any) -> Lines | None:
    """Of what rows have in common: `of_rows` says of features which one each row has, [B].

    They are in the order in which they first come, and a share's are none of another's.
    """
    if not is_share(features):
        return None
    every = of_rows(features[WHOLE])
    own = tf.unique(tf.gather(every, features[WHOLE][_PLACES])).y
    number = tf.reduce_max(every) + 1
    return Lines(own, number, tf.math.unsorted_segment_max(features[WHOLE][USER_ID], every, number))


def histories(features: Features) -> Lines | None:
    """Of the histories [S, T] that rows share, or have."""
    if not is_share(features):
        return None
    if HISTORY_ROW not in features:
        return rows(features)
    first, number = tf.unstack(tf.convert_to_tensor(features[WHOLE][_HISTORIES]))
    return Lines(first + tf.range(tf.shape(features[HISTORY])[0]), number)


def _known_of_all(columns: Features) -> Features:
    labels = [name for name in columns if observed_key(name) in columns]
    names = {USER_ID, ITEM_ID, HISTORY_ROW, HISTORY_LENGTH, *labels, *map(observed_key, labels)}
    return {name: columns[name] for name in names & columns.keys()}
