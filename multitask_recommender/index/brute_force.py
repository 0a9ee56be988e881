"""Every item is scored: exact, in plain TensorFlow operations that any server runs.

`tf.math.top_k` over a million scores takes longer than making them, so the best are sought in two
steps. Items stand in groups of GROUP, in order of their ids. The N groups of the highest maxima (of
equals, the first) hold the best N items: an item of any other group has N items before it, one of
each of these groups. Only their items are sorted, and still in order of ids, so that ties are
settled as a plain top_k settles them: the lower id first.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from multitask_recommender.index import _tables
from multitask_recommender.index._answers import NO_ITEM, Answers, padded
from multitask_recommender.index._index import BaseIndex
from multitask_recommender.index._parts import by_parts
from multitask_recommender.index.settings.brute_force import Settings
from multitask_recommender.schema import NO_SCORE

GROUP = 64  # a power of two: rows are aligned, and both steps sort about as many at a million items
MAX_CELLS = 1 << 26  # scores made at a time: 256 MiB, and as much for their masked copy


class Index(BaseIndex):
    """Item vectors as a table whose row is the id; row 0 and those after I are never found."""

    def __init__(self, settings: Settings, vectors: np.ndarray) -> None:
        super().__init__(settings)
        self._num_items, dimension = vectors.shape
        self._columns = -(-(1 + self._num_items) // GROUP) * GROUP
        table = _tables.zeros((self._columns, dimension))
        table[1 : 1 + self._num_items] = vectors
        self._table = _tables.variable(table, "vectors")

    @staticmethod
    def vectors_of(saved: Any, number: int) -> np.ndarray:
        return saved._table.numpy()[1 : 1 + number]

    def rows(self) -> tf.Tensor:
        return self._table.value()

    def ids(self) -> np.ndarray:
        ids = np.arange(self._columns, dtype=np.int32)
        return np.where(ids <= self._num_items, ids, NO_ITEM)

    def __call__(self, queries: tf.Tensor, number: tf.Tensor, excluded: tf.Tensor) -> Answers:
        part = max(1, MAX_CELLS // self._columns)
        return by_parts(
            lambda some, left_out: self._search(some, number, left_out),
            [queries, excluded],
            part,
            number,
        )

    def _search(self, queries: tf.Tensor, number: tf.Tensor, excluded: tf.Tensor) -> Answers:
        scores = tf.matmul(queries, self._table, transpose_b=True)  # [B, columns]
        scores = _masked(scores, tf.concat([self._never(queries), excluded], axis=1))
        groups = tf.reshape(scores, [-1, self._columns // GROUP, GROUP])
        taken = tf.minimum(number, self._columns // GROUP)
        _, best = tf.math.top_k(tf.reduce_max(groups, axis=2), taken)
        best = tf.sort(best, axis=1)  # [B, taken]
        candidates = tf.reshape(tf.gather(groups, best, axis=1, batch_dims=1), [-1, taken * GROUP])
        scores, places = tf.math.top_k(candidates, tf.minimum(number, taken * GROUP))
        groups_of = tf.gather(best, places // GROUP, axis=1, batch_dims=1)
        return padded(scores, groups_of * GROUP + places % GROUP, number)

    def _never(self, queries: tf.Tensor) -> tf.Tensor:
        """The columns of the table that are no item, for each query: [B, columns - I]."""
        columns = tf.constant([0, *range(self._num_items + 1, self._columns)], tf.int32)
        return tf.tile(columns[None], [tf.shape(queries)[0], 1])


def _masked(scores: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    """Scores [B, I] with NO_SCORE at the columns [B, X] of each row."""
    rows = tf.broadcast_to(tf.range(tf.shape(columns)[0])[:, None], tf.shape(columns))
    cells = tf.stack([rows, columns], axis=2)
    return tf.tensor_scatter_nd_update(scores, cells, tf.fill(tf.shape(columns), NO_SCORE))
