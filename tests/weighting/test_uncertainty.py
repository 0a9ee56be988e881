"""Learnt variances: their terms, and where they end."""

import types

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.weighting.settings.uncertainty import Settings
from multitask_recommender.weighting.uncertainty import Weighting

LOSSES = {
    "retrieval": tf.constant(3.0),
    "like": tf.constant(0.5),
    "rating": tf.constant(0.81),
}


def test_it_begins_with_variances_of_one(tasks):
    terms = Weighting(Settings(), tasks).terms(LOSSES)

    found = {name: float(term) for name, term in terms.items()}
    assert found == pytest.approx({"retrieval": 3.0, "like": 0.5 * 0.5, "rating": 0.25 * 0.81 / 2})


def test_a_term_is_the_loss_over_the_variance_and_the_log_of_the_deviation(tasks):
    weighting = Weighting(Settings(), tasks)
    weighting.log_variances.assign(np.log([4.0, 0.25, 9.0]))

    terms = {name: float(term) for name, term in weighting.terms(LOSSES).items()}

    assert terms["retrieval"] == pytest.approx(3.0 / 4 + np.log(2))
    assert terms["like"] == pytest.approx(0.5 * (0.5 / 0.25 + np.log(0.5)))
    assert terms["rating"] == pytest.approx(0.25 * (0.81 / (2 * 9) + np.log(3)))


def test_the_best_variance_of_a_rating_is_its_squared_error(tasks):
    """And of a classification twice its loss, whatever the weight of the config."""
    weighting = Weighting(Settings(), tasks)
    best = {"retrieval": 2 * 3.0, "like": 2 * 0.5, "rating": 0.81}
    weighting.log_variances.assign(np.log([best[task.name] for task in tasks]))

    with tf.GradientTape() as tape:
        total = tf.add_n(list(weighting.terms(LOSSES).values()))
    at_best = tape.gradient(total, weighting.log_variances)

    np.testing.assert_allclose(at_best, np.zeros(3), atol=1e-7)


def test_descent_finds_the_best_variances(tasks):
    weighting = Weighting(Settings(), tasks)
    optimizer = tf.keras.optimizers.legacy.SGD(1.0)

    for _ in range(200):
        with tf.GradientTape() as tape:
            total = tf.add_n(list(weighting.terms(LOSSES).values()))
        gradients = tape.gradient(total, weighting.trainable_variables)
        optimizer.apply_gradients(zip(gradients, weighting.trainable_variables, strict=True))

    np.testing.assert_allclose(np.exp(weighting.log_variances), [6.0, 1.0, 0.81], rtol=1e-3)
    learnt = {name: float(factor) for name, factor in weighting.learnt().items()}
    # 1 / 6; 0.5 / 1; 0.25 / (2 x 0.81)
    assert learnt == pytest.approx(
        {"retrieval": 1 / 6, "like": 0.5, "rating": 0.25 / 1.62}, rel=1e-3
    )


def test_a_task_of_weight_0_adds_nothing_and_learns_nothing():
    task = types.SimpleNamespace(name="like", weight=0.0, is_regression=False)
    weighting = Weighting(Settings(), [task])

    with tf.GradientTape() as tape:
        term = weighting.terms({"like": tf.constant(0.5)})["like"]

    assert float(term) == 0
    assert tape.gradient(term, weighting.log_variances).numpy().tolist() == [0]
