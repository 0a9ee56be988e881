"""Ratings: squared error over observed rows, from the mean in training, within its scale."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.tasks.rating import Task
from multitask_recommender.tasks.settings.rating import Settings

STARS = tf.constant([2.0, 5.0, 1.0])


def features(rating=(4.0, 3.0, 0.0), observed=(1.0, 1.0, 0.0)):
    return {"rating": tf.constant(rating), "rating/observed": tf.constant(observed)}


@pytest.fixture
def task(tiny):
    return Task("rating", Settings(), tiny)


def test_the_loss_is_the_mean_squared_error_of_observed_rows(task):
    assert float(task.loss(STARS, features())) == pytest.approx((4 + 4) / 2)
    assert float(task.loss(STARS, features((4.0, 3.0, 99.0)))) == pytest.approx((4 + 4) / 2)


def test_without_observed_rows_the_loss_is_zero(task):
    assert float(task.loss(STARS, features(observed=(0.0, 0.0, 0.0)))) == 0


def test_it_begins_at_the_mean_and_predicts_within_the_scale_of_training(task, tiny):
    assert task.initial_output == pytest.approx(tiny.labels["rating"].mean())
    assert task.prediction(tf.constant([-3.0, 2.5, 7.0])).numpy().tolist() == [1, 2.5, 5]


def test_only_observed_rows_count_in_mean_and_scale(tiny):
    tiny.labels["rating"][4] = 100.0
    tiny.observed["rating"] = np.arange(10) != 4

    task = Task("rating", Settings(), tiny)

    assert task.initial_output == pytest.approx(np.delete(tiny.labels["rating"], 4).mean())
    assert task.prediction(tf.constant([50.0])).numpy().tolist() == [5]
