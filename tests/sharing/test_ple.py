"""PLE by hand: two tasks with one expert each, and two shared ones."""

import numpy as np
import tensorflow as tf

from multitask_recommender.layers.heads import PairShape
from multitask_recommender.sharing.ple import Sharing
from multitask_recommender.sharing.settings.ple import Settings

PAIR = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]], np.float32)  # [2, P = 3]
OUTPUTS = {"like": 0.5, "rating": 3.0}


def build(tasks, outputs=OUTPUTS, **settings):
    settings = Settings(**{"task_experts": 1, "shared_experts": 2, "hidden_layers": [2]} | settings)
    sharing = Sharing(settings, PairShape(1, 0), tasks(outputs))
    sharing(tf.constant(PAIR))
    for weights in sharing.trainable_variables:
        weights.assign(tf.random.stateless_normal(weights.shape, [3, len(weights.shape)]))
    return sharing


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def relu(values):
    return np.maximum(values, 0)


def head(sharing, label, hidden):
    head = sharing._heads[label]
    return head.bias + PAIR @ head.wide.numpy() + hidden @ head._deep.kernel.numpy()[:, 0]


def mixed(gate, experts):
    return np.einsum("bn,bnh->bh", gate, experts)


def test_one_level_is_cgc(tasks):
    sharing = build(tasks)
    (level,) = sharing._levels
    kernel, bias = (weights.numpy() for weights in level._experts[0].trainable_variables)
    gates, of_gates = numbers(level._gates[0])
    assert kernel.shape == (3, 4 * 2) and gates.shape == (3, 2 * 3)  # one product each

    found = sharing(tf.constant(PAIR))

    experts = relu((PAIR @ kernel).reshape(2, 4, 2) + bias)  # of like, of rating, shared
    for label, read, columns in (("like", [0, 2, 3], [0, 1, 2]), ("rating", [1, 2, 3], [3, 4, 5])):
        hidden = mixed(softmax((PAIR @ gates + of_gates)[:, columns]), experts[:, read])
        np.testing.assert_allclose(found[label], head(sharing, label, hidden), rtol=1e-4)


def test_a_second_level_reads_the_streams_of_the_first(tasks):
    sharing = build(tasks, levels=2)
    first, second = sharing._levels
    kernel, bias = (weights.numpy() for weights in first._experts[0].trainable_variables)
    gates = softmax_parts(logits(first._gates[0], PAIR), [3, 3, 4])
    experts = relu((PAIR @ kernel).reshape(2, 4, 2) + bias)

    found = sharing(tf.constant(PAIR))

    streams = [mixed(g, experts[:, r]) for g, r in zip(gates, READ, strict=True)]
    own = [
        relu((x @ k).reshape(2, -1, 2) + b)
        for x, (k, b) in zip(streams, map(numbers, second._experts), strict=True)
    ]
    for place, label in enumerate(OUTPUTS):
        gate = softmax(logits(second._gates[place], streams[place]))
        hidden = mixed(gate, np.concatenate([own[place], own[2]], axis=1))
        np.testing.assert_allclose(found[label], head(sharing, label, hidden), rtol=1e-4)
    assert len(second._gates) == 2  # nothing reads a shared stream after the last level


READ = ([0, 2, 3], [1, 2, 3], [0, 1, 2, 3])  # experts that the gates of the first level read


def numbers(layer):
    return [weights.numpy() for weights in layer.trainable_variables]


def logits(gates, inputs):
    kernel, bias = numbers(gates)
    return inputs @ kernel + bias


def softmax_parts(logits, widths):
    return [softmax(part) for part in np.split(logits, np.cumsum(widths)[:-1], axis=1)]


def test_gates_are_told_by_task_and_by_level_where_there_are_several(tasks):
    one, two = build(tasks).gates(PAIR), build(tasks, {"like": 0.0}, levels=2).gates(PAIR)

    assert list(one) == [
        *("like/own_0", "like/shared_0", "like/shared_1"),
        *("rating/own_0", "rating/shared_0", "rating/shared_1"),
    ]
    assert list(two) == [
        *("like/level_0/own_0", "like/level_0/shared_0", "like/level_0/shared_1"),
        *("like/level_1/own_0", "like/level_1/shared_0", "like/level_1/shared_1"),
    ]


def test_no_task_moves_the_experts_of_another(tasks):
    sharing = build(tasks)
    kernel = sharing._levels[0]._experts[0].trainable_variables[0]

    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(sharing(tf.constant(PAIR))["like"])
    gradient = tape.gradient(loss, kernel).numpy().reshape(3, 4, 2)

    moved = np.abs(gradient).max(axis=(0, 2)) > 0
    assert not moved[1]
    assert moved[2:].all()
