"""An item bias in a dot product: one more coordinate of items, where queries have a 1."""

import tensorflow as tf

from multitask_recommender.layers.rows import take_rows


def with_one(queries: tf.Tensor) -> tf.Tensor:
    """Queries [Q, D] with a 1 where items have their bias, [Q, D + 1]."""
    return tf.pad(queries, [[0, 0], [0, 1]], constant_values=1.0)


def with_bias(items: tf.Tensor, biases: tf.Variable, ids: tf.Tensor) -> tf.Tensor:
    """Items [C, D], whose ids are [C], with their rows of biases [R], [C, D + 1]."""
    return tf.concat([items, take_rows(biases, ids)[:, None]], axis=1)
