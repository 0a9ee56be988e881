"""Means over part of the rows: every loss of this library is one."""

import tensorflow as tf


def mean_over(values: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """The mean of values [B] over rows weighted by weights [B]; 0 if the weights are all 0."""
    return part_of_mean(values, weights, weights)


def part_of_mean(values: tf.Tensor, weights: tf.Tensor, all_weights: tf.Tensor) -> tf.Tensor:
    """What some rows [n] add to the mean over the rows of all_weights [B], of which they are."""
    return tf.math.divide_no_nan(tf.reduce_sum(values * weights), tf.reduce_sum(all_weights))
