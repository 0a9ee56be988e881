"""LightGCN by hand, on a graph with a user without items and an item without users."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import config, experiment
from multitask_recommender.batches import STEP_SEED, ordered_batches
from multitask_recommender.interactions import Entities, Interactions

# Users 1 and 3, items 1, 2 and 4 have met; user 2 and item 3 nobody.
PAIRS = [(1, 1), (3, 2), (1, 2), (3, 4), (3, 1)]
ADJACENCY = np.zeros([9, 9])  # nodes: unknown, users 1 2 3, unknown, items 1 2 3 4
for user, item, degrees in [(1, 1, 4), (1, 2, 4), (3, 1, 6), (3, 2, 6), (3, 4, 3)]:
    ADJACENCY[user, 4 + item] = ADJACENCY[4 + item, user] = degrees**-0.5


@pytest.fixture
def lopsided() -> Interactions:
    users, items = np.array(PAIRS, np.int32).T
    likes = np.array([1, 0, 0, 1, 0], np.float32)
    stars = np.array([5, 1, 2, 4, 3], np.float32)
    return Interactions(
        users,
        items,
        Entities(np.array([7, 8, 9]), 3),
        Entities(np.array([10, 20, 30, 40]), 4),
        labels={"like": likes, "rating": stars},
    )


def build(train, tasks=None, **settings):
    chosen = {"name": "lightgcn", "embedding_dimension": 2, "hops": 2, **settings}
    tasks = {"retrieval": {}} if tasks is None else tasks
    return experiment.build(config.parse({"model": chosen, "tasks": tasks}), train)


def nodes_of(model):
    (nodes,) = [weight for weight in model.weights if weight.name.startswith("nodes")]
    return nodes


def test_vectors_are_the_mean_over_hops(lopsided):
    model = build(lopsided)
    start = np.arange(18, dtype=np.float32).reshape(9, 2) ** 2
    nodes_of(model).assign(start)

    first = ADJACENCY @ start
    expected = (start + first + ADJACENCY @ first) / 3
    np.testing.assert_allclose(model.propagate(), expected, rtol=1e-6)
    # User 2 and item 3 have met nobody: a third of their own vector is left.
    np.testing.assert_allclose(model.propagate().numpy()[[2, 7]], start[[2, 7]] / 3, rtol=1e-6)


def test_scores_are_dot_products_of_propagated_vectors(lopsided):
    model = build(lopsided)
    vectors = model.propagate().numpy()

    scores = model.scorer().score_block({"user_id": np.array([3, 1], np.int32)})

    np.testing.assert_allclose(scores, vectors[[3, 1]] @ vectors[5:].T, rtol=1e-5)


def test_without_hops_it_is_matrix_factorisation(lopsided):
    model = build(lopsided, hops=0)

    np.testing.assert_array_equal(model.propagate(), nodes_of(model))


def test_the_gradient_of_bpr_reaches_all_nodes_along_edges(lopsided):
    model = build(lopsided, {"retrieval": {"loss": "bpr", "num_negatives": 1}}, hops=1)
    start = np.random.default_rng(0).normal(size=(9, 2)).astype(np.float32)
    nodes_of(model).assign(start)
    (batch,) = ordered_batches(lopsided, 5)
    batch |= {STEP_SEED: tf.constant([3, 4])}
    negatives = model.retrieval._draw(batch).numpy() + 4

    with tf.GradientTape() as tape:
        loss = model.compute_loss(batch, training=True)
    gradient = tape.gradient(loss, nodes_of(model))

    mix = (np.eye(9) + ADJACENCY) / 2
    ends = mix @ start
    expected, total = np.zeros([9, 2]), 0.0
    for (user, item), negative in zip(PAIRS, negatives, strict=True):
        positive = item + 4
        if negative == positive:
            continue
        margin = ends[user] @ (ends[positive] - ends[negative])
        total += np.log1p(np.exp(-margin)) / 5
        slope = -1 / (1 + np.exp(margin)) / 5
        expected[user] += slope * (ends[positive] - ends[negative])
        expected[positive] += slope * ends[user]
        expected[negative] -= slope * ends[user]
    assert (negatives != np.array([item for _, item in PAIRS]) + 4).sum() >= 3
    assert float(loss) == pytest.approx(total, rel=1e-5)
    np.testing.assert_allclose(gradient, mix.T @ expected, rtol=1e-4, atol=1e-6)


def test_weight_decay_charges_the_batch_before_propagation(lopsided):
    model = build(lopsided, l2=0.5)
    start = np.random.default_rng(1).normal(size=(9, 2)).astype(np.float32)
    nodes_of(model).assign(start)
    (batch,) = ordered_batches(lopsided, 5)

    penalty = model.task_losses(batch | {STEP_SEED: tf.constant([3, 4])}, training=True)[1]

    norms = (start**2).sum(axis=1)
    charged = [norms[user] + norms[4 + item] for user, item in PAIRS]
    assert float(penalty) == pytest.approx(0.5 * np.mean(charged), rel=1e-5)


def test_edges_are_what_retrieval_is_to_find(lopsided):
    """Two of five events are liked: 1-1 and 3-4."""
    for tasks, settings in [
        ({"retrieval": {"positive": "like"}, "rating": {}}, {}),
        ({"rating": {}}, {"graph_positive": "like"}),
    ]:
        model = build(lopsided, tasks, hops=1, **settings)
        start = nodes_of(model).numpy()
        vectors = model.propagate().numpy()
        np.testing.assert_allclose(vectors[1], (start[1] + start[5]) / 2, rtol=1e-6)
        np.testing.assert_allclose(vectors[6], start[6] / 2, rtol=1e-6)  # item 2 is of nobody


def test_whoever_has_met_nobody_is_given_what_is_popular(lopsided):
    scores = build(lopsided).scorer().score_block({"user_id": np.array([0, 2], np.int32)})

    logs = np.log([3, 3, 1, 2])  # items 1 and 2 were met twice, item 3 never, item 4 once
    np.testing.assert_allclose(scores, [logs - logs.mean()] * 2, rtol=1e-6)


def test_a_label_that_is_no_edge_is_refused_with_its_name(lopsided):
    settings = config.parse({"model": {"name": "lightgcn", "graph_positive": "liek"}}).model
    (fault,) = settings.settings.missing_from(lopsided, "model")

    assert fault.startswith("model.graph_positive needs the label 'liek'")
    assert "Did you mean 'like'?" in fault


def test_ranking_tasks_read_propagated_vectors(lopsided):
    model = build(lopsided, {"retrieval": {}, "rating": {}}, normalise=True, item_bias=True)
    (batch,) = ordered_batches(lopsided, 5)

    representation = model.encode(batch, tf.range(5), training=False)

    vectors = model.propagate().numpy()
    users, items = np.array(PAIRS).T
    expected = np.hstack([vectors[users], vectors[4 + items], vectors[users] * vectors[4 + items]])
    np.testing.assert_allclose(representation.pair, expected, rtol=1e-5)
    np.testing.assert_allclose(
        tf.norm(representation.queries[:, :2], axis=1), np.ones(2), rtol=1e-5
    )


def test_held_out_rows_change_nothing(lopsided):
    """A model of some rows is the same whatever rows are held out."""
    one = build(lopsided.take(np.array([0, 1, 2])))
    more = dataclasses.replace(lopsided, parts=np.array([0, 0, 0, 2, 2], np.int8))
    other = build(more.take(np.flatnonzero(more.parts == 0)))

    np.testing.assert_array_equal(one.propagate(), other.propagate())
