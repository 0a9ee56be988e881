"""Gradients no longer than a norm, over all weights together; those of some rows stay so."""

from collections.abc import Sequence

import tensorflow as tf

Gradient = tf.Tensor | tf.IndexedSlices


def clipped(gradients: Sequence[Gradient], norm: float) -> list[Gradient]:
    """The gradients, scaled alike where all of them together are longer than `norm`.

    Pascanu et al., "On the difficulty of training recurrent neural networks", ICML 2013. A row that
    a batch used several times counts with the sum of its gradients, which is what a step takes:
    tf.clip_by_global_norm would take each of them for a row of its own.
    """
    gradients = [_by_row(each) for each in gradients]
    squares = [tf.reduce_sum(tf.square(_values(each))) for each in gradients]
    factor = tf.minimum(1.0, tf.math.divide_no_nan(norm, tf.sqrt(tf.add_n(squares))))
    return [_scaled(each, factor) for each in gradients]


def _by_row(gradient: Gradient) -> Gradient:
    """With each row once."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, places = tf.unique(gradient.indices)
    sums = tf.math.unsorted_segment_sum(gradient.values, places, tf.size(rows))
    return tf.IndexedSlices(sums, rows, gradient.dense_shape)


def _values(gradient: Gradient) -> tf.Tensor:
    return gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient


def _scaled(gradient: Gradient, factor: tf.Tensor) -> Gradient:
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient * factor
    return tf.IndexedSlices(gradient.values * factor, gradient.indices, gradient.dense_shape)
