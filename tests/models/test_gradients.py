"""Gradients where tasks meet: as told, and as combined before the tables."""

import dataclasses
import re

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import config, experiment
from multitask_recommender.batches import STEP_SEED, ordered_batches
from multitask_recommender.layers import loss_scale
from multitask_recommender.layers.precision import product, products_in
from multitask_recommender.models import _gradients
from multitask_recommender.training import optimizers

TASKS = {"retrieval": {}, "like": {"weight": 0.5}, "rating": {}}


def build(train, tasks=TASKS, weighting="fixed", sharing="shared_bottom", **model):
    model = {"name": "two_tower", "embedding_dimension": 4, "initial_stddev": 0.3, **model}
    values = {"model": model, "tasks": tasks, "weighting": weighting, "sharing": sharing}
    return experiment.build(config.parse(values), train)


def batch_of(interactions):
    (whole,) = ordered_batches(interactions, len(interactions))
    return whole | {STEP_SEED: tf.constant([1, 2])}


def gradients_of(model, batch):
    with tf.GradientTape() as tape:
        loss = model.compute_loss(batch, training=True)
    found = tape.gradient(loss, model.trainable_variables)
    return {
        (place, name_of(variable)): tf.convert_to_tensor(gradient).numpy()
        for place, (variable, gradient) in enumerate(
            zip(model.trainable_variables, found, strict=True)
        )
        if gradient is not None
    }


def name_of(variable):
    # Keras counts the layers of a process: dense, dense_1. And two biases have one name.
    name = re.sub(r"_\d+", "", variable.name)
    return "popularity" if name == "item_bias:0" and variable.shape.rank == 1 else name


def is_table(name):
    """Of what more than one task reads."""
    return name[1] in ("ids:0", "table:0", "user_bias:0", "item_bias:0")


@pytest.mark.parametrize(("scale", "expected"), [(1.0, 0.0), (2.0**15, 1e-8)])
def test_gradients_at_the_cut_come_through_that_float16_would_lose(scale, expected):
    vectors = tf.Variable([[3.0]])
    with tf.GradientTape(persistent=True) as tape, products_in("float16"):
        cut = (2.0 * vectors,)
        small = 1e-8 * tf.reduce_sum(product(cut[0], tf.constant([[1.0]])))
        terms = {"a": small, "b": tf.zeros([])}

    (gradients,) = _gradients.at_cut(tape, terms, cut, scale)

    np.testing.assert_allclose(gradients[:, 0, 0], [expected, 0.0], rtol=1e-3)


def test_pcgrad_combines_in_float16_what_it_combines_in_float32(tiny):
    weights = {}
    for precision in ("float32", "float16"):
        model = build(tiny, weighting="pcgrad", dropout=0.3)
        model.precision = precision
        model.optimizer = loss_scale.wrapped(optimizers.build("adagrad", 0.1), precision)
        model.train_step(batch_of(tiny))
        weights[precision] = model.get_weights()

    for one, other in zip(weights["float32"], weights["float16"], strict=True):
        np.testing.assert_allclose(other, one, atol=1e-2)


def test_surgery_changes_what_comes_before_the_cut_and_nothing_behind_it():
    before, after = tf.Variable([1.0, 2.0]), tf.Variable(3.0)
    with tf.GradientTape() as outer:
        with tf.GradientTape(persistent=True) as tape:
            cut = (2.0 * before,)
            terms = {"a": after * cut[0][0], "b": tf.reduce_sum(-cut[0])}
        gradients = _gradients.at_cut(tape, terms, cut)
        change = _gradients.surgery(gradients, cut, tf.constant([2.0, 10.0]))
        loss = terms["a"] + terms["b"] + change
    found = outer.gradient(loss, [before, after])

    assert float(change) == 0
    np.testing.assert_allclose(gradients[0], [[3, 0], [-1, -1]])
    # At the cut twice (3, 0) plus ten times (-1, -1), instead of once each; then the factor 2.
    np.testing.assert_allclose(found[0], [2 * (2 * 3 - 10), 2 * -10])
    assert float(found[1]) == 2  # as without surgery: the first number of the cut


def test_products_are_over_all_tensors_together():
    gradients = [tf.constant([[[1.0, 2.0]], [[0.0, 1.0]]]), tf.constant([[2.0], [-3.0]])]

    products = _gradients.products(gradients)
    told = _gradients.norms_and_cosines(["like", "rating"], products)

    assert products.numpy().tolist() == [[9, 2 - 6], [-4, 10]]
    assert told.keys() == {
        "gradient_norm/like",
        "gradient_norm/rating",
        "gradient_cosine/like/rating",
    }
    assert float(told["gradient_norm/rating"]) == pytest.approx(np.sqrt(10))
    assert float(told["gradient_cosine/like/rating"]) == pytest.approx(-4 / np.sqrt(90))


def test_pcgrad_combines_the_gradients_of_tables_and_of_tables_alone(tiny):
    """Likes turned round, so that like and rating conflict."""
    likes = 1 - tiny.labels["like"]
    tiny = dataclasses.replace(tiny, labels={**tiny.labels, "like": likes})
    batch = batch_of(tiny)
    plain, combined = (
        gradients_of(build(tiny, TASKS, name), batch) for name in ("fixed", "pcgrad")
    )

    assert plain.keys() == combined.keys()
    for name in plain:
        is_same = np.allclose(plain[name], combined[name], rtol=1e-4, atol=1e-6)
        assert is_same != is_table(name), name


def test_pcgrad_gives_tables_what_the_projected_gradients_say(tiny):
    """Two tasks that read two numbers a row: the item's row of the table, by hand."""
    likes = 1 - tiny.labels["like"]
    tiny = dataclasses.replace(tiny, labels={**tiny.labels, "like": likes}, observed={})
    sharing = {"name": "shared_bottom", "hidden_layers": []}
    tasks = {"like": {}, "rating": {}}
    batch = batch_of(tiny)
    own = {
        name: gradients_of(build(tiny, {**tasks, other: {"weight": 0.0}}, "fixed", sharing), batch)
        for name, other in (("like", "rating"), ("rating", "like"))
    }
    both = gradients_of(build(tiny, tasks, "pcgrad", sharing), batch)
    tables = [name for name in both if is_table(name)]

    # The cut holds each distinct id once, and biases row by row: as many numbers as a table's.
    told = build(tiny, tasks, "fixed", sharing).task_gradients(batch)
    a, b = float(told["gradient_norm/like"]), float(told["gradient_norm/rating"])
    cosine = float(told["gradient_cosine/like/rating"])
    assert cosine < 0
    for name in tables:
        like, rating = own["like"][name], own["rating"][name]
        expected = (1 - a * cosine / b) * rating + (1 - b * cosine / a) * like
        np.testing.assert_allclose(both[name], expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "model",
    [
        {},
        {"hidden_layers": [3]},
        {"ranking": {"dimension": 2}},
        {"user": ["id", "history"], "history_dropout": 0.3},
        {"user": ["id", "history"], "ranking": {"dimension": 3, "user": ["id"]}},
        {"embeddings": "separate", "ranking": {"dimension": 3}},
    ],
    ids=str,
)
class TestTheCutOfTwoTowers:
    def test_all_that_tasks_read_of_tables_passes_through_it(self, tiny, model):
        """With a share of 0 of every gradient, no table moves."""
        batch = batch_of(tiny)
        model = build(tiny, TASKS, "pcgrad", **model)
        model._weighting.shares = lambda products, seed: tf.zeros(3)

        found = gradients_of(model, batch)

        for name, gradient in found.items():
            if is_table(name):
                np.testing.assert_allclose(gradient, np.zeros_like(gradient), atol=1e-5)
        assert any(np.abs(gradient).max() > 1e-3 for gradient in found.values())

    def test_tasks_are_told_as_they_pull(self, tiny, model):
        told = build(tiny, TASKS, **model).task_gradients(batch_of(tiny))

        assert list(told) == [
            *(f"gradient_norm/{name}" for name in TASKS),
            "gradient_cosine/retrieval/like",
            "gradient_cosine/retrieval/rating",
            "gradient_cosine/like/rating",
        ]
        assert all(float(told[f"gradient_norm/{name}"]) > 0 for name in TASKS)
        cosine = float(told["gradient_cosine/retrieval/rating"])
        assert (cosine == 0) == (model.get("embeddings") == "separate")


def test_the_mixtures_that_are_told_are_the_gates_and_the_learnt_weights(tiny):
    batch = batch_of(tiny)
    sharing = {"name": "mmoe", "experts": 2}

    gated = build(tiny, TASKS, "fixed", sharing).mixtures(batch)
    weighted = build(tiny, TASKS, "uncertainty").mixtures(batch)

    assert list(gated) == [
        *("gate/like/expert_0", "gate/like/expert_1"),
        *("gate/rating/expert_0", "gate/rating/expert_1"),
    ]
    assert all(float(mean) == 0.5 for mean in gated.values())  # they begin even
    assert {name: float(value) for name, value in weighted.items()} == {
        "weight/retrieval": 1.0,
        "weight/like": 0.5,
        "weight/rating": 0.5,  # a regression: half
    }
    assert build(tiny).mixtures(batch) == {}
