"""What must hold for every file of the folder."""

import pytest
import tensorflow as tf

from multitask_recommender import registry
from multitask_recommender.batches import ordered_batches


@pytest.fixture(params=registry.names("tasks"))
def task(request, tiny):
    name = "rating" if request.param == "rating" else "like"
    settings = registry.settings_class("tasks", request.param)(weight=0.25)
    return registry.load("tasks", request.param).Task(name, settings, tiny)


def test_it_has_its_name_and_the_weight_of_its_settings(task):
    assert task.name in ("like", "rating")
    assert task.weight == 0.25


def test_it_says_which_rows_its_mean_is_over(task, tiny):
    batch = next(iter(ordered_batches(tiny, 10)))

    weights = task.weights(batch).numpy()

    is_all = not task.predicts_label or task.name == "rating"
    assert weights.tolist() == ([1] * 10 if is_all else tiny.is_observed("like").tolist())


def test_a_task_of_a_label_begins_somewhere_and_predicts_finite_numbers(task):
    if not task.predicts_label:
        pytest.skip("it predicts no label")
    predicted = task.prediction(tf.constant([-1e4, task.initial_output, 1e4]))

    assert tf.reduce_all(tf.math.is_finite(predicted))
