"""Means over part of the rows: every loss of this library is one."""

import tensorflow as tf


def mean_over(values: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """The mean of values [B] over rows weighted by weights [B]; 0 if the weights are all 0."""
    return tf.math.divide_no_nan(tf.reduce_sum(values * weights), tf.reduce_sum(weights))
