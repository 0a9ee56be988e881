"""NGCF by hand, on the lopsided graph of LightGCN's tests."""

import numpy as np
import pytest
import tensorflow as tf
from test_lightgcn import ADJACENCY, lopsided  # noqa: F401

from multitask_recommender import config, experiment


def build(train, **settings):
    chosen = {"name": "ngcf", "embedding_dimension": 2, "layers": [3, 4], **settings}
    return experiment.build(config.parse({"model": chosen, "tasks": {"retrieval": {}}}), train)


def weights_of(model):
    return {weight.name.partition(":")[0]: weight.numpy() for weight in model.weights}


def leaky(values):
    return np.where(values > 0, values, 0.2 * values)


def propagated(weights):
    """Equation 7 twice, and the concatenation of equation 9."""
    nodes = weights["nodes"]
    first = leaky(
        (ADJACENCY @ nodes + nodes) @ weights["sums_0"]
        + (ADJACENCY @ nodes * nodes) @ weights["products_0"]
    )
    second = leaky(
        (ADJACENCY @ first + first) @ weights["sums_1"]
        + (ADJACENCY @ first * first) @ weights["products_1"]
    )
    return [nodes, first, second]


def test_each_propagation_follows_the_paper(lopsided):  # noqa: F811
    model = build(lopsided, initial_stddev=1.0)

    expected = np.hstack(propagated(weights_of(model)))

    assert model.dimension == 2 + 3 + 4
    np.testing.assert_allclose(model.propagate(), expected, rtol=1e-5, atol=1e-6)


def test_retrieval_compares_each_propagation_as_unit_vectors(lopsided):  # noqa: F811
    model = build(lopsided, initial_stddev=1.0)
    nodes, *others = propagated(weights_of(model))
    norms = [np.maximum(np.linalg.norm(each, axis=1, keepdims=True), 1e-9) for each in others]
    vectors = np.hstack([nodes, *(each / norm for each, norm in zip(others, norms, strict=True))])

    scores = model.scorer().score_block({"user_id": np.array([3, 1], np.int32)})

    np.testing.assert_allclose(scores, vectors[[3, 1]] @ vectors[5:].T, rtol=1e-4, atol=1e-5)


def test_a_dropped_node_sends_nothing_and_keeps_what_it_is(lopsided):  # noqa: F811
    """One propagation with rate 1/2: each neighbour counts twice or not at all."""
    model = build(lopsided, layers=[3], initial_stddev=1.0, node_dropout=0.5, message_dropout=0.0)
    weights = weights_of(model)
    nodes = weights["nodes"]
    found = model.propagate(tf.constant([5, 6]), training=True).numpy()[:, 2:]

    neighbours = [5, 6, 8]  # items 1, 2 and 4, of user 3
    possible = []
    for kept in np.ndindex(2, 2, 2):
        received = 2 * sum(
            ADJACENCY[3, node] * nodes[node]
            for node, is_kept in zip(neighbours, kept, strict=True)
            if is_kept
        )
        possible.append(
            leaky(
                (received + nodes[3]) @ weights["sums_0"]
                + (received * nodes[3]) @ weights["products_0"]
            )
        )
    assert min(np.abs(found[3] - each).max() for each in possible) < 1e-5
    # User 2 receives nothing from anybody, whoever is dropped, and is himself.
    np.testing.assert_allclose(found[2], leaky(nodes[2] @ weights["sums_0"]), rtol=1e-5)


@pytest.mark.parametrize("dropout", [{"message_dropout": 0.5}, {"node_dropout": 0.5}])
def test_dropout_is_of_the_step_and_of_training_alone(lopsided, dropout):  # noqa: F811
    model = build(lopsided, initial_stddev=1.0, **{"message_dropout": 0.0} | dropout)
    whole = model.propagate().numpy()
    first, again, other = (
        model.propagate(tf.constant(seed), training=True).numpy()
        for seed in ([1, 2], [1, 2], [1, 3])
    )

    np.testing.assert_array_equal(first, again)
    assert (first != other).any() and (first != whole).any()
    np.testing.assert_array_equal(first[:, :2], whole[:, :2])  # E^(0) is nobody's message
