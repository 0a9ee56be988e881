"""Learnt variances: their terms, and where they end."""

import types

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import config, experiment
from multitask_recommender.batches import ordered_batches
from multitask_recommender.training import optimizers
from multitask_recommender.weighting.settings.uncertainty import Settings
from multitask_recommender.weighting.uncertainty import Weighting

LOSSES = {
    "retrieval": tf.constant(3.0),
    "like": tf.constant(0.5),
    "rating": tf.constant(0.81),
}
ROWS = {name: tf.constant(4.0) for name in LOSSES}


def test_it_begins_with_variances_of_one(tasks):
    terms = Weighting(Settings(), tasks).terms(LOSSES, ROWS)

    found = {name: float(term) for name, term in terms.items()}
    assert found == pytest.approx({"retrieval": 3.0, "like": 0.5 * 0.5, "rating": 0.25 * 0.81 / 2})


def test_a_term_is_the_loss_over_the_variance_and_the_log_of_the_deviation(tasks):
    weighting = Weighting(Settings(), tasks)
    weighting.log_variances.assign(np.log([4.0, 0.25, 9.0]))

    terms = {name: float(term) for name, term in weighting.terms(LOSSES, ROWS).items()}

    assert terms["retrieval"] == pytest.approx(3.0 / 4 + np.log(2))
    assert terms["like"] == pytest.approx(0.5 * (0.5 / 0.25 + np.log(0.5)))
    assert terms["rating"] == pytest.approx(0.25 * (0.81 / (2 * 9) + np.log(3)))


def test_the_best_variance_of_a_rating_is_its_squared_error(tasks):
    """And of a classification twice its loss, whatever the weight of the config."""
    weighting = Weighting(Settings(), tasks)
    best = {"retrieval": 2 * 3.0, "like": 2 * 0.5, "rating": 0.81}
    weighting.log_variances.assign(np.log([best[task.name] for task in tasks]))

    with tf.GradientTape() as tape:
        total = tf.add_n(list(weighting.terms(LOSSES, ROWS).values()))
    at_best = tape.gradient(total, weighting.log_variances)

    np.testing.assert_allclose(at_best, np.zeros(3), atol=1e-7)


def test_descent_finds_the_best_variances(tasks):
    weighting = Weighting(Settings(), tasks)
    optimizer = tf.keras.optimizers.legacy.SGD(1.0)

    for _ in range(200):
        with tf.GradientTape() as tape:
            total = tf.add_n(list(weighting.terms(LOSSES, ROWS).values()))
        gradients = tape.gradient(total, weighting.trainable_variables)
        optimizer.apply_gradients(zip(gradients, weighting.trainable_variables, strict=True))

    np.testing.assert_allclose(np.exp(weighting.log_variances), [6.0, 1.0, 0.81], rtol=1e-3)
    learnt = {name: float(factor) for name, factor in weighting.learnt().items()}
    # 1 / 6; 0.5 / 1; 0.25 / (2 x 0.81)
    assert learnt == pytest.approx(
        {"retrieval": 1 / 6, "like": 0.5, "rating": 0.25 / 1.62}, rel=1e-3
    )


def test_a_task_without_rows_adds_nothing_and_learns_nothing(tasks):
    """Its loss of 0 would say that its variance is 0."""
    weighting = Weighting(Settings(), tasks)
    weighting.log_variances.assign(np.log([4.0, 0.25, 9.0]))
    losses, rows = LOSSES | {"like": tf.constant(0.0)}, ROWS | {"like": tf.constant(0.0)}

    with tf.GradientTape() as tape:
        terms = weighting.terms(losses, rows)
        total = tf.add_n(list(terms.values()))
    gradient = tape.gradient(total, weighting.log_variances)

    assert float(terms["like"]) == 0
    assert float(terms["rating"]) == pytest.approx(0.25 * (0.81 / (2 * 9) + np.log(3)))
    # Of retrieval -3 / 4 + 1 / 2, and of the rating (-0.81 / (2 * 9) + 1 / 2) / 4.
    np.testing.assert_allclose(gradient, [-0.25, 0.0, 0.11375], rtol=1e-6)


def test_a_batch_without_a_like_leaves_the_variance_of_likes(tiny):
    chosen = {"weighting": "uncertainty", "tasks": {"like": {}, "rating": {}}}
    model = experiment.build(config.parse(chosen), tiny)
    model.optimizer = optimizers.build("adagrad", 0.1)
    one_row = next(iter(ordered_batches(tiny.take(np.array([4])), 1)))

    model.train_step(one_row)

    like, rating = model._weighting.log_variances.numpy()
    assert like == 0 and rating != 0


def test_a_task_of_weight_0_adds_nothing_and_learns_nothing():
    task = types.SimpleNamespace(name="like", weight=0.0, is_regression=False)
    weighting = Weighting(Settings(), [task])

    with tf.GradientTape() as tape:
        term = weighting.terms({"like": tf.constant(0.5)}, {"like": tf.constant(4.0)})["like"]

    assert float(term) == 0
    assert tape.gradient(term, weighting.log_variances).numpy().tolist() == [0]
