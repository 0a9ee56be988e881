"""What only MultiTaskNet does; what every model does is in test_every_model.py."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import config, experiment
from multitask_recommender.schema import ITEM_ID, USER_ID

TASKS = {
    "retrieval": {"loss": "bpr", "num_negatives": 2, "weight": 0.75},
    "rating": {"weight": 0.25},
}
MLP = {"name": "shared_bottom", "hidden_layers": [5, 3], "linear": False}
EMBEDDINGS = ("shared", "separate")


def build(train, embeddings="shared", tasks=TASKS, dimension=2, **settings):
    model = {"name": "mf_ncf", "embedding_dimension": dimension, "embeddings": embeddings}
    return experiment.build(
        config.parse({"model": {**model, **settings}, "tasks": tasks, "sharing": MLP}), train
    )


def set_weights(model):
    """Makes all weights large and different: {name: array}, tables in the order of their making."""
    rng = np.random.default_rng(0)
    found = {"ids": []}
    for variable in model.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
        name = variable.name.split(":")[0].split("/")[-1]
        found.setdefault(name, []).append(variable.numpy())
    return found


def likelihoods(weights, users, items):
    """u . q + b of all pairs, by hand."""
    user_table, item_table = weights["ids"][:2]
    (bias,) = weights["item_bias"]
    return [[sum(user_table[u] * item_table[i]) + bias[i] for i in items] for u in users]


@pytest.mark.parametrize("embeddings", EMBEDDINGS)
def test_the_likelihood_of_interaction_is_the_dot_product_plus_the_bias_of_the_item(
    tiny, embeddings
):
    model = build(tiny, embeddings)
    weights = set_weights(model)

    scores = model.scorer().score_block({USER_ID: np.array([3, 1], np.int32)})

    np.testing.assert_allclose(scores, likelihoods(weights, [3, 1], range(1, 7)), rtol=1e-5)


@pytest.mark.parametrize("embeddings", EMBEDDINGS)
def test_the_score_is_a_relu_network_on_user_item_and_their_product(tiny, embeddings):
    """And nothing beside it: no biases of users or items, no linear term."""
    model = build(tiny, embeddings)
    weights = set_weights(model)
    user_table, item_table = weights["ids"][-2:]
    u, q = user_table[[4, 1, 1]], item_table[[2, 2, 6]]
    hidden = np.concatenate([u, q, u * q], axis=1)  # [3, 6]
    kernels, biases = weights["kernel"], weights["bias"]
    assert [kernel.shape for kernel in kernels] == [(6, 5), (5, 3), (3, 1)]
    for kernel, bias in zip(kernels[:2], biases[:2], strict=True):
        hidden = np.maximum(hidden @ kernel + bias, 0)
    expected = (hidden @ kernels[2])[:, 0] + biases[2]

    ids = {USER_ID: tf.constant([4, 1, 1]), ITEM_ID: tf.constant([2, 2, 6])}
    representation = model.encode(ids, tf.constant([2, 6]), training=False)
    outputs = model.predict_labels(representation, ids, training=False)

    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(outputs["rating"], expected, rtol=1e-4)


def test_the_loss_is_the_weighted_sum_of_pairwise_ranking_and_squared_error(
    tiny, batch_of, monkeypatch
):
    model = build(tiny)
    weights = set_weights(model)
    batch = batch_of(tiny, slice(0, 3))  # user 1 and items 1, 2, 3, with 5, 3 and 1 stars
    drawn = np.array([[4, 5], [6, 1], [2, 2]])
    monkeypatch.setattr(model.retrieval, "_draw", lambda _: tf.constant(drawn.ravel(), tf.int32))
    (likelihood,) = np.array(likelihoods(weights, [1], range(7)))
    margins = likelihood[[[1], [2], [3]]] - likelihood[drawn]
    outputs = model.predict_labels(
        model.encode(batch, tf.constant([1, 2, 3]), training=False), batch, training=False
    )
    squared = (outputs["rating"].numpy() - [5, 3, 1]) ** 2

    loss = model.compute_loss(batch, training=True)

    expected = 0.75 * np.log1p(np.exp(-margins)).mean() + 0.25 * squared.mean()
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


@pytest.mark.parametrize("dimension", [8, 32])
def test_vectors_begin_small_and_item_biases_at_0(tiny, dimension):
    model = build(tiny, "separate", dimension=dimension)
    tables = [table for table in model.trainable_variables if table.name.startswith("ids")]
    (bias,) = (each for each in model.trainable_variables if each.name.startswith("item_bias"))

    deviation = np.concatenate([table.numpy().ravel() for table in tables]).std()

    # 24 rows: of 8 numbers each, the deviation of a sample is off by 5 %.
    assert deviation == pytest.approx(1 / dimension, rel=0.2)
    assert [table.shape for table in tables] == [(5, dimension), (7, dimension)] * 2
    assert bias.numpy().tolist() == [0] * 7


def moved_by(model, batch, task):
    """The places among the tables of users, items, users again, ... that a task's loss moves."""
    tables = [table for table in model.trainable_variables if table.name.startswith("ids")]
    with tf.GradientTape() as tape:
        loss = model.task_losses(batch, training=True)[0][task]
    gradients = tape.gradient(loss, tables)
    return [
        place
        for place, gradient in enumerate(gradients)
        if gradient is not None and tf.convert_to_tensor(gradient).numpy().any()
    ]


def test_shared_tables_learn_from_both_tasks(tiny, batch_of):
    model = build(tiny, "shared")
    set_weights(model)

    assert moved_by(model, batch_of(tiny), "retrieval") == [0, 1]
    assert moved_by(model, batch_of(tiny), "rating") == [0, 1]


def test_separate_tables_learn_from_one_task_each(tiny, batch_of):
    model = build(tiny, "separate")
    set_weights(model)

    assert moved_by(model, batch_of(tiny), "retrieval") == [0, 1]
    assert moved_by(model, batch_of(tiny), "rating") == [2, 3]


@pytest.mark.parametrize("task", TASKS)
def test_with_one_task_there_is_nothing_to_separate(tiny, task):
    shared, separate = (build(tiny, embeddings, {task: TASKS[task]}) for embeddings in EMBEDDINGS)

    for one, other in zip(shared.get_weights(), separate.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("embeddings", EMBEDDINGS)
def test_weight_decay_charges_the_rows_of_a_batch_in_every_table_once(tiny, batch_of, embeddings):
    model = build(tiny, embeddings, l2=0.5, l2_power=1.0)
    tables = set_weights(model)["ids"]
    batch = batch_of(tiny, slice(0, 4))  # users 1, 1, 1, 2 and items 1, 2, 3, 1
    rows = [[1, 1, 1, 2], [1, 2, 3, 1]] * 2

    penalty = model.task_losses(batch, training=True)[1]

    charged = sum((table[ids] ** 2).sum() / 4 for table, ids in zip(tables, rows, strict=False))
    np.testing.assert_allclose(penalty, 0.5 * charged, rtol=1e-5)
    assert float(model.task_losses(batch, training=False)[1]) == 0


def test_tasks_meet_in_shared_tables_alone(tiny, batch_of):
    cosines = []
    for embeddings in EMBEDDINGS:
        model = build(tiny, embeddings)
        set_weights(model)
        cosines.append(model.task_gradients(batch_of(tiny))["gradient_cosine/retrieval/rating"])

    shared, separate = cosines
    assert abs(shared) > 1e-2
    assert separate == 0


@pytest.mark.parametrize("embeddings", EMBEDDINGS)
def test_all_that_both_tasks_read_of_tables_passes_through_the_cut(tiny, batch_of, embeddings):
    """With a share of 0 of every gradient, no table moves."""
    tasks = {**TASKS, "like": {}}
    chosen = {
        "model": {"name": "mf_ncf", "embedding_dimension": 2, "embeddings": embeddings},
        "tasks": tasks,
        "sharing": MLP,
        "weighting": "pcgrad",
    }
    model = experiment.build(config.parse(chosen), tiny)
    set_weights(model)
    tables = [table for table in model.trainable_variables if table.name.startswith("ids")]
    batch = batch_of(tiny)

    def largest_gradient():
        with tf.GradientTape() as tape:
            loss = model.compute_loss(batch, training=True)
        return [
            np.abs(tf.convert_to_tensor(gradient)).max() for gradient in tape.gradient(loss, tables)
        ]

    before = largest_gradient()
    model._weighting.shares = lambda products, seed: tf.zeros(3)

    assert min(before) > 1e-2
    assert max(largest_gradient()) < 1e-5
