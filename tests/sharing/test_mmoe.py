"""MMoE by hand: two tasks, two experts."""

import numpy as np
import tensorflow as tf

from multitask_recommender.layers.heads import PairShape
from multitask_recommender.sharing.mmoe import Sharing
from multitask_recommender.sharing.settings.mmoe import Settings

PAIR = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]], np.float32)  # [2, P = 3]
EXPERTS = np.array([[1.0, 0.0], [0.5, -1.0], [0.0, 2.0]], np.float32)  # one unit each
GATES = np.array([[1.0, 0.0, -1.0, 2.0], [0.0, 1.0, 0.5, 0.0], [0.0, 0.0, 0.0, 1.0]], np.float32)
BIASES = np.array([0.0, 0.5, 0.0, -1.0], np.float32)


def build(tasks, **settings):
    settings = Settings(experts=2, hidden_layers=[1], **settings)
    sharing = Sharing(settings, PairShape(1, 0), tasks({"like": 0.5, "rating": 3.0}))
    sharing(tf.constant(PAIR))
    sharing._experts.trainable_variables[0].assign(EXPERTS)
    sharing._gates.kernel.assign(GATES)
    sharing._gates.bias.assign(BIASES)
    return sharing


def test_a_task_reads_the_experts_through_its_own_gate(tasks):
    sharing = build(tasks)
    deep = {"like": 2.0, "rating": -3.0}
    for label, head in sharing._heads.items():
        head._deep.kernel.assign([[deep[label]]])

    found = sharing(tf.constant(PAIR))

    hidden = np.array([[0.0, 3.0], [1.5, 0.0]])  # relu of [1 - 1, 2 + 1] and [1.5, -3 - 2]
    assert np.array_equal(np.maximum(PAIR @ EXPERTS, 0), hidden)
    for label, columns, bias in (("like", [0, 1], 0.5), ("rating", [2, 3], 3.0)):
        logits = np.exp((PAIR @ GATES + BIASES)[:, columns])
        gate = logits / logits.sum(axis=1, keepdims=True)
        expected = bias + PAIR[:, 2] + deep[label] * (gate * hidden).sum(axis=1)
        np.testing.assert_allclose(found[label], expected, rtol=1e-5)


def test_the_gates_that_are_told_are_those_that_are_read(tasks):
    gates = build(tasks).gates(tf.constant(PAIR))

    assert list(gates) == ["like/expert_0", "like/expert_1", "rating/expert_0", "rating/expert_1"]
    # Row 0: logits 1 and -2 + 0.5 of like, -1 - 1 and 2 + 0.5 - 1 of rating.
    np.testing.assert_allclose(gates["like/expert_0"][0], 1 / (1 + np.exp(-2.5)), rtol=1e-6)
    np.testing.assert_allclose(gates["rating/expert_1"][0], 1 / (1 + np.exp(-3.5)), rtol=1e-6)


def test_a_task_trains_its_own_gate_and_no_other(tasks):
    sharing = build(tasks)

    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(sharing(tf.constant(PAIR))["like"]))
    gradient = tape.gradient(loss, sharing._gates.kernel).numpy()

    assert np.abs(gradient[:, :2]).min() > 0
    assert np.abs(gradient[:, 2:]).max() == 0
    assert any(v is sharing._gates.kernel for v in sharing.trainable_variables)


def test_all_experts_are_one_kernel(tasks):
    settings = Settings(experts=3, hidden_layers=[5, 4], tower_layers=[2])
    sharing = Sharing(settings, PairShape(1, 0), tasks({"like": 0.5, "rating": 3.0}))
    sharing(tf.constant(PAIR))

    shapes = sorted(tuple(v.shape) for v in sharing.trainable_variables if v.shape.rank > 1)

    assert shapes == sorted(
        [(3, 15), (3, 5), (3, 5, 4), (3, 4), (3, 6), (4, 2), (4, 2), (2, 1), (2, 1)]
    )  # experts with their biases, gates, towers, heads
