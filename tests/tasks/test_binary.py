"""Binary labels: cross-entropy over observed rows, from the rate in training."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import config
from multitask_recommender.batches import ordered_batches
from multitask_recommender.errors import ConfigError
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


def test_where_another_label_is_1_alone_it_is_learnt_and_judged_everywhere(tiny):
    clicks = np.array([1, 1, 0, 0, 0, 1, 1, 0, 1, 0], np.float32)
    seen = np.array([0, 1, 1, 1, 1, 1, 1, 1, 1, 1], bool)
    tiny = dataclasses.replace(
        tiny,
        labels={**tiny.labels, "click": clicks},
        observed={**tiny.observed, "click": seen},
    )
    task = Task("like", Settings(observed_where="click"), tiny)
    batch = next(iter(ordered_batches(tiny, 10)))
    logits = tf.linspace(-1.0, 1.0, 10)

    # Likes are unobserved in rows 4 and 7, the click in row 0.
    assert task.weights(batch, training=True).numpy().tolist() == [0, 1, 0, 0, 0, 1, 1, 0, 1, 0]
    assert task.weights(batch).numpy().tolist() == tiny.is_observed("like").tolist()
    rows = [1, 5, 6, 8]
    likes = tiny.labels["like"][rows]
    errors = np.log1p(np.exp(np.where(likes == 1, -1, 1) * logits.numpy()[rows]))
    found = float(task.loss(logits, batch, training=True))
    assert found == pytest.approx(errors.mean(), rel=1e-5)
    assert likes.tolist() == [0, 1, 0, 0]
    assert task.initial_output == pytest.approx(np.log(2 / 4))


def test_predictions_are_probabilities(task):
    predicted = task.prediction(tf.constant([-200.0, 0.0, 1.0, 200.0]))

    np.testing.assert_allclose(predicted, [0, 0.5, 1 / (1 + np.exp(-1)), 1], atol=1e-7)


@pytest.mark.parametrize(
    ("needs", "ring"),
    [
        ({"like": "like"}, "tasks.like.only_with goes round in a ring (like -> like)"),
        ({"click": "like", "like": "click"}, "tasks.click.only_with goes round in a ring (click -"),
        (
            {"share": "like", "like": "follow", "follow": "like"},
            "tasks.like.only_with goes round in a ring (like -> follow -> like): let one of them "
            "stand alone, click say.",
        ),
    ],
)
def test_a_ring_of_labels_is_refused_once(needs, ring):
    tasks = {name: {"only_with": label} for name, label in needs.items()}

    with pytest.raises(ConfigError) as caught:
        config.parse({"tasks": {"rating": {}, **tasks}})

    assert str(caught.value).startswith(ring)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["only_with", "observed_where"])
def test_a_label_that_the_data_lacks_or_is_not_binary_is_named(tiny, key):
    missing = Settings(**{key: "clik"}).missing_from(tiny, "tasks.like")
    stars = Settings(**{key: "rating"}).missing_from(tiny, "tasks.like")

    assert missing == [
        f"tasks.like.{key} needs the label 'clik', which made by the test does not have. "
        "Did you mean 'like'? Labels here: like, rating."
    ]
    assert f"tasks.like.{key} needs a label of 0 and 1, but 'rating'" in stars[0]
