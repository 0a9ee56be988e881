"""The items of an index by the cosine of their vectors, exactly, without vectors of their own."""

from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from multitask_recommender.index._answers import NO_ITEM, Answers, best_of, num_excluded
from multitask_recommender.index._parts import by_parts
from multitask_recommender.schema import NO_SCORE

if TYPE_CHECKING:
    from multitask_recommender.index._index import BaseIndex

MAX_CELLS = 1 << 25  # scores made at a time: 128 MiB, and as much for what becomes of them


class Cosines(tf.Module):
    """Called as an index; of queries of length one the scores are cosines.

    Args:
      index: whose vectors are read where they are.
      lengths: that scores are divided by, float32 [I], none of them 0.
    """

    def __init__(self, index: "BaseIndex", lengths: np.ndarray) -> None:
        super().__init__()
        self._index, ids = index, index.ids()
        of_rows = np.append(np.float32(1), lengths)[ids]
        self._ids = tf.Variable(ids, trainable=False, name="ids")  # [R]
        self._lengths = tf.Variable(of_rows, trainable=False, name="lengths")  # [R]

    def __call__(self, queries: tf.Tensor, number: tf.Tensor, excluded: tf.Tensor) -> Answers:
        num_rows = self._ids.shape[0]
        wanted = tf.minimum(number + num_excluded(excluded), num_rows)
        part = max(1, MAX_CELLS // num_rows)
        scores, ids = by_parts(lambda some: self._search(some, wanted), [queries], part, wanted)
        return best_of(scores, ids, number, excluded)

    def _search(self, queries: tf.Tensor, wanted: tf.Tensor) -> Answers:
        scores = tf.matmul(queries, self._index.rows(), transpose_b=True) / self._lengths
        scores = tf.where(self._ids == NO_ITEM, NO_SCORE, scores)  # [B, R]
        scores, places = tf.math.top_k(scores, wanted)
        return scores, tf.gather(self._ids, places)
