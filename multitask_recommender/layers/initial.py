"""How tables begin: Keras' normal values, drawn a block at a time into memory of numpy's.

Keras draws a table as a whole, in three tensors. On a processor TensorFlow takes memory from a pool
(oneDNN's) that gives nothing back, so that two of them would stay taken for as long as the process
lives. What is drawn here becomes the variable; TensorFlow copies it once, into its pool, when rows
are first read of it, and numpy gives back the rest.
"""

import contextlib
import contextvars
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf

from multitask_recommender import columns

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
        table = columns.empty(tuple(shape), kind.as_numpy_dtype)
        if not _ARE_DRAWN.get():
            return columns.tensor(table)
        seed = self._random_generator.make_seed_for_stateless_op()
        key, (count, fixed) = tf.raw_ops.StatelessRandomGetKeyCounter(seed=seed)
        for start in range(0, len(table), _ROWS):
            block = table[start : start + _ROWS]
            drawn = table[:start].size // _NUMBERS_OF_A_COUNT
            values = tf.raw_ops.StatelessRandomNormalV2(
                shape=block.shape,
                key=key,
                counter=tf.stack([count + tf.constant(drawn, tf.uint64), fixed]),
                alg=_AUTO,
                dtype=kind,
            )
            block[...] = values * self.stddev + self.mean
        return columns.tensor(table)
