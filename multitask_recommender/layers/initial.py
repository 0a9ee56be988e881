"""How tables begin: Keras' normal values, written a block at a time into one tensor.

Keras draws a table as a whole, in three tensors. On a processor TensorFlow takes memory from a pool
(oneDNN's) that gives nothing back, so that two of them would stay taken for as long as the process
lives. What is drawn here becomes the variable: TensorFlow never copies it.
"""

import contextlib
import contextvars
import math
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf

_ROWS = 1 << 14  # drawn at a time
_NUMBERS_OF_A_COUNT = 4  # float32, that Philox, the generator, draws until its counter goes on
_AUTO = 3  # which generator: the device's own, in TensorFlow's numbering
_ARE_DRAWN = contextvars.ContextVar("are_drawn", default=True)


@contextlib.contextmanager
def not_drawn() -> Iterator[None]:
    """Large tables that are made within the block hold nothing yet, and take no memory: weights are
    to be loaded before they are read.
    """
    token = _ARE_DRAWN.set(False)
    try:
        yield
    finally:
        _ARE_DRAWN.reset(token)


class Normal(tf.keras.initializers.RandomNormal):
    """The values of the base, for the same seed."""

    def __call__(self, shape: Sequence[int], dtype: Any = None, **options: Any) -> tf.Tensor:
        kind = tf.as_dtype(dtype or tf.keras.backend.floatx())
        if options or kind != tf.float32 or len(shape) < 2 or shape[0] <= _ROWS:
            return super().__call__(shape, dtype, **options)
        with tf.device("CPU:0"):
            table = tf.raw_ops.Empty(shape=shape, dtype=kind, init=False)
            return self._drawn(table) if _ARE_DRAWN.get() else table

    def _drawn(self, table: tf.Tensor) -> tf.Tensor:
        """The same memory, filled."""
        row = math.prod(table.shape[1:])
        seed = self._random_generator.make_seed_for_stateless_op()
        key, (count, fixed) = tf.raw_ops.StatelessRandomGetKeyCounter(seed=seed)
        for start in range(0, len(table), _ROWS):
            places = tf.range(start, min(start + _ROWS, len(table)))
            drawn = start * row // _NUMBERS_OF_A_COUNT
            values = tf.raw_ops.StatelessRandomNormalV2(
                shape=[len(places), *table.shape[1:]],
                key=key,
                counter=tf.stack([count + tf.constant(drawn, tf.uint64), fixed]),
                alg=_AUTO,
                dtype=table.dtype,
            )
            table = tf.raw_ops.InplaceUpdate(x=table, i=places, v=values * self.stddev + self.mean)
        return table
