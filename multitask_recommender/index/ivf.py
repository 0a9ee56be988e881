"""An inverted file in plain TensorFlow operations: any server runs it, without a library.

Sivic and Zisserman, "Video Google", ICCV 2003, for inner products: leaves are clusters of items,
and a query q reads those of the highest q.mean + REACH |q| spread. That is about what the best of a
leaf scores: where items differ in length, a mean says too little of it.

What queries read must be of one shape, so that a leaf stands in blocks of BLOCK rows, of which the
last may be filled up, and every query reads the same number of blocks: those of its leaves in
order, the last of them perhaps in part.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from multitask_recommender.index import _clusters, _tables
from multitask_recommender.index._answers import NO_ITEM, Answers, best_of, num_extra
from multitask_recommender.index._index import BaseIndex
from multitask_recommender.index._parts import by_parts
from multitask_recommender.index.settings.ivf import Settings
from multitask_recommender.schema import NO_SCORE

BLOCK = 64  # rows
REACH = 3.0  # deviations above the mean: where the best of some hundreds are
MAX_CELLS = 1 << 22  # numbers of vectors that are gathered at a time: 16 MiB stay in the cache
_ROWS_AT_A_TIME = 1 << 16  # copied into the table


class Index(BaseIndex):
    """Item vectors by leaves, and their ids."""

    def __init__(self, settings: Settings, vectors: np.ndarray) -> None:
        super().__init__(settings.checked(len(vectors)))
        clusters = _clusters.fit(vectors, settings.leaves, settings.seed)
        blocks = -(-clusters.counts // BLOCK)  # of each leaf, at least one
        first = np.cumsum(blocks) - blocks
        self._num_blocks = int(blocks.sum())
        order, places = _places(clusters, first)
        table = _tables.zeros((self._num_blocks * BLOCK, vectors.shape[1]))
        for start in range(0, len(order), _ROWS_AT_A_TIME):
            rows = slice(start, start + _ROWS_AT_A_TIME)
            table[places[rows]] = vectors[order[rows]]
        ids = _tables.zeros((self._num_blocks * BLOCK,), np.int32)  # NO_ITEM
        ids[places] = order + 1
        self._vectors = _tables.variable(table.reshape(self._num_blocks, -1), "vectors")
        self._ids = _tables.variable(ids.reshape(-1, BLOCK), "ids")
        centres = np.column_stack([clusters.means, REACH * clusters.spreads])
        self._centres = tf.Variable(centres, trainable=False, name="centres")  # [L, D + 1]
        self._blocks = tf.Variable(blocks, trainable=False, dtype=tf.int32, name="blocks")  # [L]
        self._first = tf.Variable(first, trainable=False, dtype=tf.int32, name="first_block")

    @staticmethod
    def vectors_of(saved: Any, number: int) -> np.ndarray:
        ids = saved._ids.numpy().ravel()
        rows = saved._vectors.numpy().reshape(len(ids), -1)
        vectors = np.empty((number, rows.shape[1]), np.float32)
        vectors[ids[ids != NO_ITEM] - 1] = rows[ids != NO_ITEM]
        return vectors

    def rows(self) -> tf.Tensor:
        return tf.reshape(self._vectors.value(), [self._num_blocks * BLOCK, -1])

    def ids(self) -> np.ndarray:
        return self._ids.numpy().ravel()

    def __call__(self, queries: tf.Tensor, number: tf.Tensor, excluded: tf.Tensor) -> Answers:
        wanted = number + num_extra(excluded)
        searched = -(-self.settings.searched * self._num_blocks // self.settings.leaves)
        # And as many as hold what is wanted, were they half empty.
        read = tf.minimum(searched + 2 * wanted // BLOCK, self._num_blocks)
        wanted = tf.minimum(wanted, read * BLOCK)
        part = MAX_CELLS // self._vectors.shape[1] // read
        scores, ids = by_parts(
            lambda some: self._search(some, read, wanted), [queries], tf.maximum(1, part), wanted
        )
        return best_of(scores, ids, number, excluded)

    def _search(self, queries: tf.Tensor, read: tf.Tensor, wanted: tf.Tensor) -> Answers:
        blocks = self._blocks_to_read(queries, read)
        # Of the value: a gather from the variable itself would make a copy of it.
        rows = tf.gather(self._vectors.value(), blocks)  # [B, read, BLOCK * D]
        rows = tf.reshape(rows, [-1, read * BLOCK, queries.shape[1]])
        ids = tf.reshape(tf.gather(self._ids, blocks), [-1, read * BLOCK])
        scores = tf.where(ids == NO_ITEM, NO_SCORE, tf.linalg.matvec(rows, queries))
        scores, places = tf.math.top_k(scores, wanted)
        return scores, tf.gather(ids, places, axis=1, batch_dims=1)

    def _blocks_to_read(self, queries: tf.Tensor, read: tf.Tensor) -> tf.Tensor:
        """Those of the best leaves, [B, read]."""
        lengths = tf.norm(queries, axis=1, keepdims=True)
        longer = tf.concat([queries, lengths], axis=1)  # [B, D + 1]
        scores = tf.matmul(longer, self._centres, transpose_b=True)  # [B, L]
        _, leaves = tf.math.top_k(scores, tf.minimum(read, self._centres.shape[0]))  # [B, M]
        counts = tf.gather(self._blocks, leaves)
        ends = tf.cumsum(counts, axis=1)
        slots = tf.broadcast_to(tf.range(read), [tf.shape(queries)[0], read])
        leaf = tf.searchsorted(ends, slots, side="right")  # which of the M each block is of
        shifts = tf.gather(self._first, leaves) - ends + counts
        return slots + tf.gather(shifts, leaf, axis=1, batch_dims=1)


def _places(clusters: _clusters.Clusters, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Items by leaves, and within them by ids; and the row of the table of each of these."""
    order = np.argsort(clusters.assigned, kind="stable")
    shifts = first * BLOCK - np.cumsum(clusters.counts) + clusters.counts
    return order, np.arange(len(order)) + np.repeat(shifts, clusters.counts)
