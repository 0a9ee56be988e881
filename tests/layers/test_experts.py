"""Experts and gates, against loops over the experts in numpy."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.layers.experts import Experts, Gates, mix

INPUTS = tf.random.stateless_normal([5, 3], [1, 2])


def test_each_expert_is_a_tower_of_its_own():
    experts = Experts(2, [4, 3], 0.0, "experts")
    found = experts(INPUTS, (0, 0)).numpy()
    for weights in experts.trainable_variables:
        weights.assign(tf.random.stateless_normal(weights.shape, [3, len(weights.shape)]))
    first, bias, second, last = (weights.numpy() for weights in experts.trainable_variables)
    assert first.shape == (3, 2 * 4)

    found = experts(INPUTS, (0, 0)).numpy()

    assert found.shape == (5, 2, 3)
    for n in range(2):
        hidden = np.maximum(INPUTS.numpy() @ first[:, 4 * n : 4 * n + 4] + bias[n], 0)
        expected = np.maximum(hidden @ second[n] + last[n], 0)
        np.testing.assert_allclose(found[:, n], expected, rtol=1e-4, atol=1e-5)


def test_an_expert_begins_as_a_tower_of_its_own_would():
    """Not as one of as many units as all experts have."""
    experts = Experts(50, [40], 0.0, "experts")
    experts(tf.ones([1, 60]), (0, 0))

    kernel = experts.trainable_variables[0].numpy()

    assert kernel.std() == pytest.approx(np.sqrt(2 / (60 + 40)), rel=0.02)


def test_gates_begin_even_and_are_softmaxes_of_their_own():
    gates = Gates([2, 3], "gates")
    assert [gate[0].numpy().tolist() for gate in gates(INPUTS)] == [
        [0.5, 0.5],
        pytest.approx([1 / 3] * 3),
    ]
    kernel = np.arange(15).reshape(3, 5).astype(np.float32) / 10
    gates.kernel.assign(kernel)
    gates.bias.assign([0.0, 1.0, 0.0, 0.0, -2.0])

    first, second = (gate.numpy() for gate in gates(INPUTS))

    logits = np.exp(INPUTS.numpy() @ kernel + [0.0, 1.0, 0.0, 0.0, -2.0])
    np.testing.assert_allclose(first, logits[:, :2] / logits[:, :2].sum(1)[:, None], rtol=1e-5)
    np.testing.assert_allclose(second, logits[:, 2:] / logits[:, 2:].sum(1)[:, None], rtol=1e-5)


def test_a_mixture_is_weighted_row_by_row():
    experts = np.arange(12, dtype=np.float32).reshape(2, 3, 2)  # [B, n, H]
    gate = np.array([[1, 0, 0], [0.5, 0, 0.5]], np.float32)

    assert mix(tf.constant(gate), tf.constant(experts)).numpy().tolist() == [[0, 1], [8, 9]]
