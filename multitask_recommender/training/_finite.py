"""Whether weights are numbers: looked through in the memory that they are in."""

import tensorflow as tf

_NUMBERS = 1 << 22  # looked at at a time


def is_finite(weight: tf.Variable) -> bool:
    """Whether all of a weight is, of any shape."""
    with tf.device(weight.device):  # a table of another process stays there
        # A table that a step has changed in part would be copied by an ordinary read.
        values = tf.reshape(weight.read_value_no_copy(), [-1])
        parts = (values[start : start + _NUMBERS] for start in range(0, len(values), _NUMBERS))
        return all(bool(tf.reduce_all(tf.math.is_finite(part))) for part in parts)
