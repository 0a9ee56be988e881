"""Factorization machines: the equation by hand, what they learn, and ratings of MovieLens."""

import itertools
import json

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import config, experiment, runs
from multitask_recommender.batches import STEP_SEED
from multitask_recommender.errors import RunError
from multitask_recommender.interactions import Entities, Feature, Interactions
from multitask_recommender.training import optimizers


def build(train, tasks, hidden_layers=(), **model):
    chosen = {
        "model": {"name": "fm", **model},
        "tasks": tasks,
        "sharing": {"name": "shared_bottom", "hidden_layers": list(hidden_layers)},
    }
    return experiment.build(config.parse(chosen), train)


@pytest.fixture
def lopsided() -> Interactions:
    """Two users with a job, three items with tags, five events of a category and a price."""
    return Interactions(
        user_ids=np.array([1, 1, 2, 2, 1], np.int32),
        item_ids=np.array([1, 2, 3, 1, 3], np.int32),
        users=Entities(
            np.array(["ann", "bob"]), 2, {"job": Feature(np.array([0, 2, 1]), ("poet", "smith"))}
        ),
        items=Entities(
            np.array([10, 20, 30]),
            3,
            {"tags": Feature(np.array([[0, 0], [1, 2], [2, 0], [0, 0]]), ("art", "war"))},
        ),
        labels={"like": np.array([1, 0, 0, 1, 0]), "rating": np.array([5.0, 3.0, 1.0, 4.0, 2.0])},
        context={
            "category": Feature(np.array([1, 2, 0, 2, 1], np.int32), ("x", "y")),
            "price": Feature(np.array([1, 3, 5, 2, np.nan], np.float32)),
        },
    )


INPUTS = {"user": ["id", "job"], "item": ["id", "tags"], "context": ["category", "price"]}


def predicted(model, features):
    ids = model._candidate_ids(features)
    return model.predict_labels(model.encode(features, ids, False), features, training=False)


def design_matrix(interactions):
    """Rendle's x [B, features], every input a block: users, jobs, items, tags, categories, price.

    The price has a column for its number and one for missing.
    """
    users, items = interactions.user_ids, interactions.item_ids
    job = interactions.users.features["job"].values[users]
    category = interactions.context["category"].values
    tags = np.array([[0, 0], [0.5, 0.5], [0, 1], [0, 0]])[items]  # the mean of two is half of each
    price = interactions.context["price"].values
    known = price[np.isfinite(price)]
    scaled = np.where(np.isnan(price), 0, (price - known.mean()) / known.std())
    return [
        np.eye(3)[users][:, 1:],
        np.eye(3)[job][:, 1:],
        np.eye(4)[items][:, 1:],
        tags,
        np.eye(3)[category][:, 1:],
        np.stack([scaled, np.isnan(price)], axis=1),
    ]


def tables(model):
    """In the order of the blocks, [features, K + 1] each: vectors, then linear weights."""
    users, items = model._towers
    rows = [
        users._ids[1:],
        users._features["job"].table[1:],
        items._ids[1:],
        items._features["tags"].table[1:],
        model._context._vectors["category"].table[1:],
        model._context._vectors["price"].table,
    ]
    return [np.asarray(each, np.float64) for each in rows]


def equation(interactions, model, bias):
    """w_0 + sum_a w_a + sum_{a < b} <v_a, v_b>, each field a sum of its features' rows."""
    fields = [x @ t for x, t in zip(design_matrix(interactions), tables(model), strict=True)]
    total = bias + sum(field[:, -1] for field in fields)
    for one, other in itertools.combinations(fields, 2):
        total = total + (one[:, :-1] * other[:, :-1]).sum(axis=1)
    return total


def test_heads_begin_as_the_equation_of_the_paper(lopsided, batch_of):
    model = build(lopsided, {"like": {}, "rating": {}}, embedding_dimension=3, **INPUTS)
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        if "head" not in variable.name:
            variable.assign(rng.normal(size=variable.shape))

    outputs = predicted(model, batch_of(lopsided))

    like = np.log((2 + 1) / (3 + 1))  # two of five, and one more of each
    np.testing.assert_allclose(outputs["like"], equation(lopsided, model, like), rtol=1e-4)
    np.testing.assert_allclose(outputs["rating"], equation(lopsided, model, 3.0), rtol=1e-4)


def test_linear_weights_begin_at_zero_and_vectors_do_not(lopsided):
    for table in tables(build(lopsided, {"like": {}}, embedding_dimension=3, **INPUTS)):
        assert (table[:, -1] == 0).all()
        assert (table[:, :-1] != 0).all()


def test_the_unknown_is_what_is_known_of_it(lopsided):
    """A new user at a new item, in a context of which nothing is known, is the constant."""
    model = build(lopsided, {"rating": {}}, embedding_dimension=3, **INPUTS)
    batch = {"user_id": tf.constant([0, 1]), "item_id": tf.constant([0, 0])}
    batch |= {"category": tf.constant([0, 0]), "price": tf.constant([3.0 - 0.25, 3.0 - 0.25])}

    outputs = predicted(model, batch)["rating"].numpy()

    assert outputs[0] == pytest.approx(3.0, abs=1e-6)
    assert outputs[1] != pytest.approx(3.0, abs=1e-6)


def test_weight_decay_is_of_the_vectors_and_the_linear_weights_of_ids(lopsided, batch_of):
    model = build(lopsided, {"like": {}}, embedding_dimension=3, l2=2.0, linear_l2=0.5, l2_power=1)
    rng = np.random.default_rng(0)
    for tower in model._towers:
        tower._ids.assign(rng.normal(size=tower._ids.shape))
    batch = batch_of(lopsided)

    penalty = model.encode(batch, model._candidate_ids(batch), training=True).penalty

    users, items = (tower._ids.numpy() for tower in model._towers)
    rows = np.concatenate([users[lopsided.user_ids], items[lopsided.item_ids]])
    by_hand = (2.0 * rows[:, :-1] ** 2).sum() + (0.5 * rows[:, -1] ** 2).sum()
    assert float(penalty) == pytest.approx(by_hand / 5, rel=1e-5)
    assert model.encode(batch, model._candidate_ids(batch), training=False).penalty == 0.0


def test_dropout_is_in_training_only_and_by_the_seed(lopsided, batch_of):
    model = build(lopsided, {"like": {}}, embedding_dimension=3, dropout=0.5, **INPUTS)
    batch = batch_of(lopsided)

    def pair(training, seed):
        features = batch | {STEP_SEED: tf.constant(seed)}
        return model.encode(features, model._candidate_ids(features), training).pair.numpy()

    np.testing.assert_array_equal(pair(False, [1, 2]), pair(False, [3, 4]))
    np.testing.assert_array_equal(pair(True, [1, 2]), pair(True, [1, 2]))
    assert (pair(True, [1, 2]) != pair(True, [3, 4])).any()


@pytest.fixture
def planted() -> Interactions:
    """Clicks where the parities of age and category agree: no input tells anything alone."""
    rng = np.random.default_rng(0)
    users, items = rng.integers(1, 41, 4000), rng.integers(1, 21, 4000)
    ages, categories = rng.integers(1, 5, 41), rng.integers(1, 4, 21)
    ages[0] = categories[0] = 0
    agree = (ages[users] + categories[items]) % 2 == 0
    clicks = (rng.random(4000) < np.where(agree, 0.9, 0.1)).astype(np.float32)
    return Interactions(
        user_ids=users.astype(np.int32),
        item_ids=items.astype(np.int32),
        users=Entities(np.arange(1, 41), 40, {"age": Feature(ages, tuple("abcd"))}),
        items=Entities(np.arange(1, 21), 20, {"category": Feature(categories, tuple("xyz"))}),
        labels={"click": clicks},
    )


def test_it_learns_interactions_that_a_linear_model_cannot(planted):
    """The best possible AUC is .90; a linear model of the same inputs stays near one half."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    train, test = planted.take(np.arange(3000)), planted.take(np.arange(3000, 4000))
    inputs = {"user": ["age"], "item": ["category"]}
    model = build(train, {"click": {}}, embedding_dimension=4, **inputs)
    model.optimizer = optimizers.build("adam", 0.05)
    batch = {
        "user_id": tf.constant(train.user_ids),
        "item_id": tf.constant(train.item_ids),
        "click": tf.constant(train.labels["click"]),
        "click/observed": tf.ones(3000),
        STEP_SEED: tf.constant([1, 2]),
    }
    step = tf.function(model.train_step, autograph=False)
    for _ in range(60):
        step(batch)

    def one_hot(part):
        ages = part.users.features["age"].values[part.user_ids]
        categories = part.items.features["category"].values[part.item_ids]
        return np.concatenate([np.eye(5)[ages], np.eye(4)[categories]], axis=1)

    linear = LogisticRegression().fit(one_hot(train), train.labels["click"])
    clicks = test.labels["click"]
    pairs = {"user_id": test.user_ids, "item_id": test.item_ids}
    assert roc_auc_score(clicks, linear.predict_proba(one_hot(test))[:, 1]) < 0.6
    assert roc_auc_score(clicks, model.scorer().rank(pairs)["click"]) > 0.88


def test_a_retrieval_task_is_refused_by_its_name():
    with pytest.raises(config.ConfigError) as error:
        config.parse({"model": "fm", "tasks": {"next": {"kind": "retrieval"}, "like": {}}})

    assert str(error.value) == (
        "model.name is fm, which predicts labels of given pairs and cannot retrieve: take "
        "tasks.next away (tasks.next=null), or choose a model that retrieves, such as two_tower."
    )


def test_a_run_has_the_metrics_of_labels_and_recommends_nothing(tmp_path):
    run, told = tmp_path / "run", tmp_path / "metrics.json"
    chosen = {
        "dataset": {"name": "synthetic", "users": 30, "items": 20, "rows": 300},
        "model": {"name": "fm", "embedding_dimension": 4, "l2": 1.0},
        "tasks": {"like": {}, "rating": {}},
        "training": {"epochs": 1},
    }

    runs.train(config.parse(chosen), run)
    with pytest.raises(RunError, match="no retrieval task, so there is nothing to recommend"):
        runs.evaluate(run, recommendations_path=tmp_path / "recommendations.parquet")
    runs.evaluate(run, json_path=told)

    trained, again = (json.loads(each.read_text()) for each in (run / "metrics.json", told))
    assert again["protocol"].keys() & {"full", "unfiltered", "sampled"} == set()
    assert {key.split("/")[1] for key in again["metrics"]} == {"like", "rating", "loss"}
    for key, value in again["metrics"].items():
        assert trained["metrics"][key] == pytest.approx(value, rel=1e-5)
