"""Sums whose last digits are the same whenever they are made again."""

from collections.abc import Sequence

import tensorflow as tf


def in_order(parts: Sequence[tf.Tensor]) -> tf.Tensor:
    """The sum of tensors of one shape, from the first to the last.

    `tf.add_n`, and what TensorFlow makes of a chain of +, begins with whichever of its inputs has
    memory that happens to be free. It needs less memory, so that training has it.
    """
    return tf.reduce_sum(tf.stack(list(parts)), axis=0)
