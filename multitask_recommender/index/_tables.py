"""Large arrays as variables, without the copies that `tf.Variable(array)` makes on its way.

It holds the array three times at its peak. And a variable that was ever assigned in parts is copied
whole whenever it is read, so that one cannot be filled bit by bit either.
"""

import math

import numpy as np
import tensorflow as tf

_ALIGNMENT = 64  # bytes, of what TensorFlow takes over as it is


def zeros(shape: tuple[int, ...], dtype: type[np.generic] = np.float32) -> np.ndarray:
    """An array, not empty, to be filled and then handed to `variable`."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    buffer = np.zeros(size + _ALIGNMENT, np.uint8)
    start = -buffer.ctypes.data % _ALIGNMENT
    return buffer[start : start + size].view(dtype).reshape(shape)


def tensor(array: np.ndarray) -> tf.Tensor:
    """Takes over an array of `zeros`, which must not be written to from here on."""
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__())


def variable(array: np.ndarray, name: str) -> tf.Variable:
    """Takes over an array of `zeros`, which must not be written to from here on."""
    return tf.Variable(tensor(array), trainable=False, name=name)
