"""The packed recurrent layer against Keras' own, sequence by sequence."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.layers.packed_gru import PackedGRU

VECTORS = np.random.default_rng(0).normal(size=(5, 4, 3)).astype(np.float32)
LENGTHS = np.array([2, 4, 0, 1, 4], np.int32)


def keras_like(layer):
    theirs = tf.keras.layers.GRU(6, return_sequences=True)
    theirs.build((None, None, 3))
    theirs.set_weights(layer.get_weights())
    return theirs


@pytest.mark.parametrize("in_graph", [False, True])
def test_states_are_those_of_keras_up_to_the_length_and_then_nothing(in_graph):
    layer = PackedGRU(6)
    call = tf.function(layer, autograph=False) if in_graph else layer

    states = call(tf.constant(VECTORS), tf.constant(LENGTHS)).numpy()

    theirs = keras_like(layer)
    for row, length in enumerate(LENGTHS):
        assert not states[row, length:].any()
        if length:
            alone = theirs(VECTORS[row : row + 1, :length])[0]
            np.testing.assert_allclose(states[row, :length], alone, rtol=1e-4, atol=1e-6)


def test_gradients_are_those_of_keras():
    layer = PackedGRU(6)
    vectors = tf.Variable(VECTORS)
    weights = np.random.default_rng(1).normal(size=(5, 4, 6)).astype(np.float32)
    weights *= np.arange(4)[None, :, None] < LENGTHS[:, None, None]
    layer(vectors, LENGTHS)
    theirs = keras_like(layer)

    found = []
    for call, variables in (
        (lambda: layer(vectors, LENGTHS), layer.trainable_variables),
        (lambda: theirs(vectors), theirs.trainable_variables),
    ):
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(call() * weights)
        found.append(tape.gradient(total, [vectors, *variables]))

    for mine, other in zip(*found, strict=True):
        mine, other = (tf.convert_to_tensor(each).numpy() for each in (mine, other))
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-5)


def test_of_nothing_but_empty_sequences_there_are_no_states():
    states = PackedGRU(6)(tf.zeros([2, 1, 3]), tf.constant([0, 0]))

    np.testing.assert_array_equal(states, np.zeros((2, 1, 6)))
