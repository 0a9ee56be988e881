"""Lists of ids of many users as two variables, so that a graph need not hold them."""

from typing import Any

import numpy as np
import tensorflow as tf

from multitask_recommender import columns
from multitask_recommender.histories import Rows
from multitask_recommender.schema import PAD


class Lists(tf.Module):
    """members[splits[r] : splits[r + 1]] of row r."""

    def __init__(self, rows: Rows) -> None:
        super().__init__()
        splits, members = rows
        self.splits = _variable(splits, np.int64, "splits")
        # The padding comes last.
        self.members = _variable(members, np.int32, "members", more=1)

    def of(self, rows: tf.Tensor) -> tf.Tensor:
        """int32 [n, M] of rows [n], 0-padded on the right, M being the longest of them."""
        starts, ends = (tf.gather(self.splits, rows + place) for place in (0, 1))
        longest = tf.reduce_max(tf.concat([ends - starts, [0]], axis=0))
        places = starts[:, None] + tf.range(longest)
        last = tf.cast(tf.shape(self.members)[0], tf.int64) - 1
        return tf.gather(self.members, tf.where(places < ends[:, None], places, last))


def _variable(values: np.ndarray, kind: type, name: str, more: int = 0) -> tf.Variable:
    """values [n] and so many PAD after them, copied once: there may be as many as events."""
    array = columns.empty((len(values) + more,), kind)
    array[: len(values)] = values
    array[len(values) :] = PAD
    return tf.Variable(columns.tensor(array), trainable=False, name=name)


def arrays_of(lists: Any) -> Rows:
    """What a Lists was made of; or what a loaded SavedModel holds of one."""
    return lists.splits.numpy(), lists.members.numpy()[:-1]


def latest(lists: tf.Tensor, length: int) -> tf.Tensor:
    """`histories.latest` in a graph: the last `length` members of lists [n, M], [n, at most that].

    Padding may stand anywhere in what is given: it is left out.
    """
    order = tf.argsort(tf.cast(lists == PAD, tf.int32), axis=1, stable=True)
    lists = tf.gather(lists, order, axis=1, batch_dims=1)
    ends = tf.math.count_nonzero(lists != PAD, axis=1, keepdims=True, dtype=tf.int32)
    width = tf.minimum(tf.reduce_max(tf.concat([ends, [[0]]], axis=0)), length)
    places = tf.maximum(ends - length, 0) + tf.range(width)
    lists = tf.pad(lists, [[0, 0], [0, 1]])  # the last is padding
    places = tf.where(places < ends, places, tf.shape(lists)[1] - 1)
    return tf.gather(lists, places, axis=1, batch_dims=1)


def side_by_side(*lists: tf.Tensor) -> list[tf.Tensor]:
    """Lists [n, *] made equally wide, and of one column at the least."""
    width = tf.reduce_max(tf.stack([1, *(tf.shape(each)[1] for each in lists)]))
    return [tf.pad(each, [[0, 0], [0, width - tf.shape(each)[1]]]) for each in lists]
