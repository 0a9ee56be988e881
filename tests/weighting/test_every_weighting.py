"""What must hold for every file of the folder; and what `fixed` promises besides."""

import pytest
import tensorflow as tf

from multitask_recommender import registry

WEIGHTS = {"retrieval": 1.0, "like": 0.5, "rating": 0.25}


@pytest.fixture(params=registry.names("weighting"))
def weighting(request):
    settings = registry.settings_class("weighting", request.param)()
    return registry.load("weighting", request.param).Weighting(settings, WEIGHTS)


def test_losses_become_one_finite_number_that_every_loss_moves(weighting):
    losses = {name: tf.Variable(2.0 + len(name)) for name in WEIGHTS}

    with tf.GradientTape() as tape:
        total = weighting.combine(dict(losses))
    gradients = tape.gradient(total, list(losses.values()))

    assert total.shape == ()
    assert all(float(gradient) > 0 for gradient in gradients)


def test_fixed_weights_are_those_of_the_config():
    settings = registry.settings_class("weighting", "fixed")()
    fixed = registry.load("weighting", "fixed").Weighting(settings, WEIGHTS)

    total = fixed.combine({"rating": tf.constant(4.0), "retrieval": tf.constant(3.0)})

    assert float(total) == 3 + 0.25 * 4
