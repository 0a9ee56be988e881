"""Binary labels: cross-entropy over observed rows, from the rate in training."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.tasks.binary import Task
from multitask_recommender.tasks.settings.binary import Settings

LABELS = {"like": [1.0, 0.0, 1.0, 0.0], "like/observed": [1.0, 1.0, 0.0, 1.0]}
LOGITS = tf.constant([2.0, -1.0, -7.0, 0.5])


def features(**changes):
    return {name: tf.constant(values) for name, values in (LABELS | changes).items()}


@pytest.fixture
def task(tiny):
    return Task("like", Settings(), tiny)


def test_the_loss_is_the_mean_cross_entropy_of_observed_rows(task):
    expected = (np.log1p(np.exp(-2)) + np.log1p(np.exp(-1)) + np.log1p(np.exp(0.5))) / 3

    assert float(task.loss(LOGITS, features())) == pytest.approx(expected, rel=1e-6)


def test_an_unobserved_label_has_no_effect(task):
    flipped = features(like=[1.0, 0.0, 0.0, 0.0])

    with tf.GradientTape() as tape:
        tape.watch(LOGITS)
        loss = task.loss(LOGITS, flipped)
    gradient = tape.gradient(loss, LOGITS)

    assert float(loss) == float(task.loss(LOGITS, features()))
    assert gradient[2] == 0


def test_without_observed_rows_the_loss_is_zero_and_nothing_moves(task):
    with tf.GradientTape() as tape:
        tape.watch(LOGITS)
        loss = task.loss(LOGITS, features(**{"like/observed": [0.0] * 4}))

    assert float(loss) == 0
    assert tape.gradient(loss, LOGITS).numpy().tolist() == [0] * 4


def test_it_begins_at_the_rate_of_observed_training_rows(task, tiny):
    # Observed likes of `tiny`: five of eight are 1; one of each is added.
    likes = tiny.labels["like"][tiny.is_observed("like")]
    assert likes.tolist() == [1, 0, 0, 1, 1, 0, 0, 1]

    assert task.initial_output == pytest.approx(np.log(5 / 5))


@pytest.mark.parametrize(("value", "sign"), [(0.0, -1), (1.0, 1)])
def test_a_constant_label_begins_at_a_finite_logit(tiny, value, sign):
    tiny.labels["like"][:] = value

    assert Task("like", Settings(), tiny).initial_output == pytest.approx(sign * np.log(9))


def test_predictions_are_probabilities(task):
    predicted = task.prediction(tf.constant([-200.0, 0.0, 1.0, 200.0]))

    np.testing.assert_allclose(predicted, [0, 0.5, 1 / (1 + np.exp(-1)), 1], atol=1e-7)
