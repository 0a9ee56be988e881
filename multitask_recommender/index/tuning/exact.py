"""The exact best items of queries, found without an index and in little memory."""

import functools

import numpy as np
import tensorflow as tf

_ITEMS = 1 << 16  # whose scores stand in memory at a time, for all queries of a batch


def best(vectors: np.ndarray, queries: np.ndarray, cutoff: int) -> np.ndarray:
    """Ids [B, K] of the best of items [I, D] for queries [B, D], in any order.

    K is the cutoff, or I where items are fewer.
    """
    scores = np.empty((len(queries), 0), np.float32)
    ids = np.empty((len(queries), 0), np.int32)
    for start in range(0, len(vectors), _ITEMS):
        items = vectors[start : start + _ITEMS]
        number = tf.constant(min(cutoff, len(items)))
        block, places = (each.numpy() for each in _top(queries, items, number))
        scores = np.concatenate([scores, block], axis=1)
        ids = np.concatenate([ids, places + start + 1], axis=1)
        if scores.shape[1] > cutoff:
            kept = np.argpartition(-scores, cutoff - 1, axis=1)[:, :cutoff]
            scores, ids = (np.take_along_axis(each, kept, axis=1) for each in (scores, ids))
    return ids


@functools.partial(tf.function, reduce_retracing=True)
def _top(queries: tf.Tensor, items: tf.Tensor, number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.math.top_k(tf.matmul(queries, items, transpose_b=True), number)
