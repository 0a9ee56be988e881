"""SR-GNN's state against the paper's equations, session by session with dense matrices."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import config, experiment


@pytest.fixture
def model(tiny):
    chosen = {
        "name": "sr_gnn",
        "embedding_dimension": 4,
        "initial_stddev": 0.5,
        "item_bias": False,
        "steps": 2,
    }
    return experiment.build(config.parse({"model": chosen, "tasks": {"retrieval": {}}}), tiny)


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def dense(layer, inputs):
    kernel, *bias = (weight.numpy() for weight in layer.weights)
    return inputs @ kernel + (bias[0] if bias else 0)


def shares(matrix):
    """Rows divided by their sums; rows of nothing stay so."""
    return matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)


def state_by_hand(model, session):
    """Section 3 of the paper, for one session."""
    items = list(dict.fromkeys(session))
    places = [items.index(item) for item in session]
    edges = np.zeros((len(items), len(items)))
    for source, target in zip(places, places[1:], strict=False):
        edges[source, target] = 1
    nodes = model._items._ids.numpy()[items]
    kernel, recurrent, bias = (weight.numpy() for weight in model._cell.weights)
    for _ in range(2):
        out = shares(edges) @ dense(model._out, nodes)
        into = shares(edges.T) @ dense(model._in, nodes)
        update, reset, new = np.split(np.hstack([out, into]) @ kernel + bias[0], 3, axis=1)
        of_update, of_reset, of_new = np.split(nodes @ recurrent + bias[1], 3, axis=1)
        share = sigmoid(update + of_update)
        candidate = np.tanh(new + sigmoid(reset + of_reset) * of_new)
        nodes = share * nodes + (1 - share) * candidate
    clicked = nodes[places]
    mixed = sigmoid(dense(model._of_last, clicked[-1]) + dense(model._of_each, clicked))
    total = (dense(model._attention, mixed) * clicked).sum(axis=0)
    return dense(model._state, np.concatenate([clicked[-1], total]))


def test_the_state_is_that_of_the_paper_whatever_else_is_in_the_batch(model):
    """Repeated items, a loop, an edge twice, and sessions of one item or none beside them."""
    sessions = [[2, 5, 2, 5, 3], [4], [], [1, 1, 6], [3, 1, 2, 4, 6]]
    histories = np.zeros((5, 6), np.int32)
    for row, session in enumerate(sessions):
        histories[row, : len(session)] = session

    states = model.embed_queries(
        {"user_id": tf.zeros(5, tf.int32), "history": tf.constant(histories)}
    ).numpy()

    assert not states[2].any()
    for row, session in enumerate(sessions):
        if session:
            by_hand = state_by_hand(model, session)
            np.testing.assert_allclose(states[row], by_hand, rtol=1e-4, atol=1e-6)


def test_a_batch_in_which_nothing_was_read_is_answered(model):
    states = model.embed_queries(
        {"user_id": tf.zeros(2, tf.int32), "history": tf.zeros([2, 1], tf.int32)}
    )

    assert not states.numpy().any()


@pytest.mark.parametrize("steps", [1, 2])
def test_prefixes_that_share_a_session_are_read_as_each_would_be_alone(tiny, steps):
    """With items that come again, at once or later, and a prefix of nothing."""
    chosen = {"name": "sr_gnn", "initial_stddev": 0.5, "item_bias": False, "steps": steps}
    model = experiment.build(config.parse({"model": chosen, "tasks": {"retrieval": {}}}), tiny)
    sessions = np.array([[2, 5, 2, 5, 3, 2], [1, 1, 6, 1, 0, 0], [4, 0, 0, 0, 0, 0]], np.int32)
    rows = np.array([0] * 7 + [1] * 4 + [2] * 2, np.int32)
    lengths = np.array([6, 0, 1, 2, 3, 4, 5, 4, 3, 2, 1, 1, 0], np.int32)
    prefixes = np.where(np.arange(6) < lengths[:, None], sessions[rows], 0)
    users = np.zeros(13, np.int32)

    together = model.embed_queries(
        {"user_id": users, "history": sessions, "history_row": rows, "history_length": lengths}
    )
    alone = [
        model.embed_queries({"user_id": users[row : row + 1], "history": prefixes[row : row + 1]})
        for row in range(13)
    ]

    np.testing.assert_allclose(together, np.concatenate(alone), rtol=1e-4, atol=1e-6)
