"""What must hold for every file of the folder; and what `fixed` promises besides."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import registry

LOSSES = {"rating": 4.0, "retrieval": 3.0, "like": 0.5}
ROWS = {name: tf.constant(4.0) for name in LOSSES}


@pytest.fixture(params=registry.names("weighting"))
def weighting(request, tasks):
    settings = registry.settings_class("weighting", request.param)()
    return registry.load("weighting", request.param).Weighting(settings, tasks)


def test_losses_become_a_finite_term_each_which_its_own_loss_moves(weighting):
    losses = {name: tf.Variable(value) for name, value in LOSSES.items()}

    for name, own in losses.items():
        with tf.GradientTape() as tape:
            term = weighting.terms(dict(losses), ROWS)[name]
        gradients = tape.gradient(term, losses)
        assert term.shape == ()
        assert float(gradients.pop(name)) > 0, own
        assert set(gradients.values()) == {None}


def test_terms_are_in_the_order_of_the_tasks(weighting):
    """So that gradients of the terms are in the order that `shares` knows."""
    losses = {name: tf.constant(value) for name, value in LOSSES.items()}

    assert list(weighting.terms(losses, ROWS)) == ["retrieval", "like", "rating"]


def test_gradients_that_do_not_conflict_are_added_up(weighting):
    products = tf.constant([[4.0, 0.0, 1.0], [0.0, 2.0, 0.5], [1.0, 0.5, 9.0]])

    assert weighting.shares(products, (1, 2)).numpy().tolist() == [1, 1, 1]


def test_what_is_learnt_is_told_of_every_task(weighting):
    learnt = weighting.learnt()

    assert bool(learnt) == bool(weighting.trainable_variables)
    assert not learnt or list(learnt) == ["retrieval", "like", "rating"]


def test_fixed_weights_are_those_of_the_config(tasks):
    settings = registry.settings_class("weighting", "fixed")()
    fixed = registry.load("weighting", "fixed").Weighting(settings, tasks)

    terms = fixed.terms({name: tf.constant(value) for name, value in LOSSES.items()}, ROWS)

    assert {name: float(term) for name, term in terms.items()} == {
        "retrieval": 3.0,
        "like": 0.5 * 0.5,
        "rating": 0.25 * 4.0,
    }
    assert not np.any(fixed.weights)
