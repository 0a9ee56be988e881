"""Queries searched in parts, so that what they read fits into memory, or the cache."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from multitask_recommender.index._answers import Answers


def by_parts(
    search: Callable[..., Answers],
    columns: Sequence[tf.Tensor],
    part: tf.Tensor | int,
    width: tf.Tensor,
) -> Answers:
    """What search(*columns) answers, [B, width], asked with at most `part` rows at a time."""
    num_rows = tf.shape(columns[0])[0]
    num_parts = tf.maximum(1, -(-num_rows // part))  # without rows too

    def step(place: tf.Tensor, scores: tf.TensorArray, ids: tf.TensorArray) -> tuple:
        found = search(*(each[place * part : (place + 1) * part] for each in columns))
        return place + 1, scores.write(place, found[0]), ids.write(place, found[1])

    arrays = [
        tf.TensorArray(dtype, num_parts, infer_shape=False) for dtype in (tf.float32, tf.int32)
    ]
    _, scores, ids = tf.while_loop(
        lambda place, *_: place < num_parts, step, [0, *arrays], parallel_iterations=1
    )
    return tuple(tf.reshape(each.concat(), [num_rows, width]) for each in (scores, ids))
