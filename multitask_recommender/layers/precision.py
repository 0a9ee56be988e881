"""Mixed precision: matrix products of a training step in half precision, all else in float32.

Micikevicius et al., "Mixed Precision Training", ICLR 2018. The factors of a product are rounded,
and so are those of its gradients; weights, sums, exponentials, losses and the optimizer's state are
float32. What is no training step (evaluation, an export) is float32 altogether.

Differs from `tf.keras.mixed_precision`, whose policy is one for the process and rounds all that a
layer reads, rows of tables and what it adds too. A head, whose output is the prediction, is not
rounded at all.
"""

import contextlib
import contextvars
from collections.abc import Iterator

import tensorflow as tf

FLOAT32 = "float32"
# Of the thread that traces: replicas are traced side by side.
_OF_PRODUCTS = contextvars.ContextVar("of_products", default=FLOAT32)


@contextlib.contextmanager
def products_in(precision: str) -> Iterator[None]:
    """What is traced within the block computes products in `float32`, `bfloat16` or `float16`."""
    token = _OF_PRODUCTS.set(precision)
    try:
        yield
    finally:
        _OF_PRODUCTS.reset(token)


def product(
    one: tf.Tensor, other: tf.Tensor, transpose_b: bool = False, precision: str | None = None
) -> tf.Tensor:
    """The matrix product [n, K] of [n, D] and [D, K], or of [K, D] transposed, as float32.

    precision: of this product; by default that of `products_in`.
    """
    factors = _rounded(one, other, precision)
    return tf.cast(tf.matmul(*factors, transpose_b=transpose_b), tf.float32)


def einsum(equation: str, one: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    """`tf.einsum` of two tensors, a product as above."""
    return tf.cast(tf.einsum(equation, *_rounded(one, other)), tf.float32)


def _rounded(
    one: tf.Tensor, other: tf.Tensor, precision: str | None = None
) -> tuple[tf.Tensor, tf.Tensor]:
    kind = tf.as_dtype(precision or _OF_PRODUCTS.get())
    return tf.cast(one, kind), tf.cast(other, kind)


class Dense(tf.keras.layers.Dense):
    """Keras' own of [n, D], but for the precision of its product."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        outputs = product(inputs, self.kernel)
        return self.activation(outputs + self.bias if self.use_bias else outputs)


class GRUCell(tf.keras.layers.GRUCell):
    """Keras' own with its defaults, but for the precision of its products."""

    def call(self, inputs: tf.Tensor, states: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """inputs [n, D], and the state [n, units] before them: the state after them, twice."""
        (state,) = states
        of_inputs, of_state = tf.unstack(self.bias)
        given = tf.split(product(inputs, self.kernel) + of_inputs, 3, axis=1)
        own = tf.split(product(state, self.recurrent_kernel) + of_state, 3, axis=1)
        kept, reset = (tf.sigmoid(given[gate] + own[gate]) for gate in range(2))
        state = kept * state + (1 - kept) * tf.tanh(given[2] + reset * own[2])
        return state, [state]
