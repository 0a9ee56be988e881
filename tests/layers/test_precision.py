"""Products in half precision, by hand and beside Keras' own layers."""

import threading

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.layers.precision import Dense, GRUCell, einsum, product, products_in

# float16 keeps ten binary digits behind the first, bfloat16 seven.
DIGITS = {"float32": 23, "float16": 10, "bfloat16": 7}
LONG = 1 + 2.0**-9  # with more digits than bfloat16 has


def squared(precision=None):
    value = tf.constant([[LONG]])
    return product(value, value, precision=precision).numpy().item()


@pytest.mark.parametrize("precision", DIGITS)
def test_factors_are_rounded_to_the_precision_of_the_block(precision):
    kept, lost = (1 + 2.0**-digit for digit in (DIGITS[precision], DIGITS[precision] + 2))

    with products_in(precision):
        rounded = [product(tf.constant([[value]]), tf.constant([[1.0]])) for value in (kept, lost)]
        other = einsum("ab,bc->ca", tf.constant([[lost]]), tf.constant([[1.0]]))

    assert [each.numpy().item() for each in (*rounded, other)] == [kept, 1.0, 1.0]
    assert all(each.dtype == tf.float32 for each in (*rounded, other))


def test_a_product_of_its_own_precision_keeps_it():
    with products_in("bfloat16"):
        assert squared("float32") == LONG**2
    assert squared("bfloat16") == 1


def test_gradients_are_products_in_the_same_precision_of_float32_weights():
    weights = tf.Variable([[1.0]])
    with tf.GradientTape() as tape, products_in("bfloat16"):
        loss = product(tf.constant([[LONG]]), weights)
    gradient = tape.gradient(loss, weights)

    assert gradient.dtype == weights.dtype == tf.float32
    assert gradient.numpy().item() == 1  # LONG, rounded


def test_precision_ends_with_its_block_and_is_its_own_threads():
    found = []
    with pytest.raises(KeyError), products_in("bfloat16"):
        thread = threading.Thread(target=lambda: found.append(squared()))
        thread.start()
        thread.join()
        found.append(squared())
        raise KeyError

    assert [*found, squared()] == [LONG**2, 1, LONG**2]


@pytest.mark.parametrize("use_bias", [True, False])
def test_dense_is_keras_own_in_float32(use_bias):
    inputs = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    ours, theirs = (kind(4, "relu", use_bias) for kind in (Dense, tf.keras.layers.Dense))
    theirs.build((5, 3))
    ours.build((5, 3))
    ours.set_weights([weights + 0.1 for weights in theirs.get_weights()])
    theirs.set_weights(ours.get_weights())

    np.testing.assert_array_equal(ours(inputs), theirs(inputs))


def test_a_gru_cell_is_keras_own_in_float32_and_nearly_so_in_half_precision():
    generator = np.random.default_rng(0)
    inputs, state = (tf.constant(generator.normal(size=(5, n)), tf.float32) for n in (3, 4))
    ours, theirs = GRUCell(4), tf.keras.layers.GRUCell(4)
    theirs.build((5, 3))
    theirs.set_weights([generator.normal(size=each.shape) for each in theirs.get_weights()])
    ours.build((5, 3))
    ours.set_weights(theirs.get_weights())

    exact = theirs(inputs, [state])[0]

    np.testing.assert_allclose(ours(inputs, [state])[0], exact, rtol=1e-6, atol=1e-7)
    for precision in ("float16", "bfloat16"):
        with products_in(precision):
            near = ours(inputs, [state])[0]
        assert near.dtype == tf.float32
        assert 0 < np.abs(near - exact).max() < 2.0 ** (2 - DIGITS[precision])
