"""Large arrays as variables, without the copies that `tf.Variable(array)` makes on its way.

It holds the array three times at its peak. And a variable that was ever assigned in parts is copied
whole whenever it is read, so that one cannot be filled bit by bit either.
"""

import numpy as np
import tensorflow as tf

from multitask_recommender import columns


def zeros(shape: tuple[int, ...], dtype: type[np.generic] = np.float32) -> np.ndarray:
    """An array, not empty, to be filled and then handed to `variable`."""
    array = columns.empty(shape, dtype)
    array[...] = 0
    return array


def variable(array: np.ndarray, name: str) -> tf.Variable:
    """Takes over an array of `zeros`, or of `columns.empty`: it must not be written to any more."""
    return tf.Variable(columns.tensor(array), trainable=False, name=name)
