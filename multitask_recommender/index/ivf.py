"""An inverted file in plain TensorFlow operations: any server runs it, without a library.

Sivic and Zisserman, "Video Google", ICCV 2003, for inner products. Leaves are clusters of items,
and a query reads those whose centre scores highest. What it reads must be of one shape for every
query, so that leaves stand in blocks of BLOCK rows, each but the last of a leaf full, and a query
reads a number of blocks: the leaves in order of their scores, until that number is reached.
"""

import numpy as np
import tensorflow as tf

from multitask_recommender.index import _clusters, _tables
from multitask_recommender.index._answers import NO_ITEM, NO_SCORE, Answers, best_of, num_extra
from multitask_recommender.index._index import BaseIndex
from multitask_recommender.index.settings.ivf import Settings

BLOCK = 64  # rows
MAX_CELLS = 1 << 22  # vectors' numbers that are gathered at a time, 16 MiB: they stay in the cache


class Index(BaseIndex):
    """Item vectors [I, D] by leaves, and their ids."""

    def __init__(self, settings: Settings, vectors: np.ndarray) -> None:
        super().__init__(settings.checked(len(vectors)))
        clusters = _clusters.fit(vectors, settings.leaves, settings.seed)
        self._centres = tf.Variable(clusters.centres, trainable=False, name="centres")  # [L, D]
        order = np.argsort(clusters.assigned, kind="stable")
        counts = np.bincount(clusters.assigned, minlength=settings.leaves)
        blocks = -(-counts // BLOCK)  # of each leaf
        first = np.cumsum(blocks) - blocks
        within = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        places = np.repeat(first * BLOCK, counts) + within  # of the rows in `order`
        self._num_blocks = int(blocks.sum())
        ids = np.full(self._num_blocks * BLOCK, NO_ITEM, np.int32)
        ids[places] = order + 1
        table = _tables.zeros((self._num_blocks * BLOCK, vectors.shape[1]))
        for start in range(0, len(order), 1 << 16):
            part = slice(start, start + (1 << 16))
            table[places[part]] = vectors[order[part]]
        shape = self._num_blocks, BLOCK * vectors.shape[1]
        self._table = _tables.variable(table.reshape(shape), "vectors")
        self._ids = tf.Variable(ids.reshape(-1, BLOCK), trainable=False, name="ids")
        leaf_of = np.repeat(np.arange(settings.leaves, dtype=np.int32), blocks)
        self._leaf_of = tf.Variable(leaf_of, trainable=False, name="leaf_of_block")

    def __call__(self, queries: tf.Tensor, number: tf.Tensor, excluded: tf.Tensor) -> Answers:
        wanted = number + num_extra(excluded)
        share = -(-self.settings.searched * self._num_blocks // self.settings.leaves)
        read = tf.minimum(share + 2 * wanted // BLOCK, self._num_blocks)
        part = tf.maximum(1, MAX_CELLS // self._table.shape[1] // read)
        num_queries = tf.shape(queries)[0]
        num_parts = tf.maximum(1, -(-num_queries // part))
        wanted = tf.minimum(wanted, read * BLOCK)

        def search(place: tf.Tensor, scores: tf.TensorArray, ids: tf.TensorArray) -> tuple:
            found = self._search(queries[place * part : (place + 1) * part], read, wanted)
            return place + 1, scores.write(place, found[0]), ids.write(place, found[1])

        arrays = [
            tf.TensorArray(dtype, num_parts, infer_shape=False) for dtype in (tf.float32, tf.int32)
        ]
        _, scores, ids = tf.while_loop(lambda place, *_: place < num_parts, search, [0, *arrays])
        found = (tf.reshape(each.concat(), [num_queries, wanted]) for each in (scores, ids))
        return best_of(*found, number, excluded)

    def _search(self, queries: tf.Tensor, read: tf.Tensor, wanted: tf.Tensor) -> Answers:
        leaves = tf.matmul(queries, self._centres, transpose_b=True)  # [B, L]
        _, blocks = tf.math.top_k(tf.gather(leaves, self._leaf_of, axis=1), read)  # [B, read]
        rows = tf.gather(self._table, blocks)  # [B, read, BLOCK * D]
        rows = tf.reshape(rows, [-1, read * BLOCK, self._table.shape[1] // BLOCK])
        ids = tf.reshape(tf.gather(self._ids, blocks), [-1, read * BLOCK])
        scores = tf.where(ids == NO_ITEM, NO_SCORE, tf.linalg.matvec(rows, queries))
        scores, places = tf.math.top_k(scores, wanted)
        return scores, tf.gather(ids, places, axis=1, batch_dims=1)
