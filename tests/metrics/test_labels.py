"""Label metrics by hand, and against scikit-learn."""

import numpy as np
import pytest
import sklearn.metrics

from multitask_recommender.metrics import labels

NOTHING = np.empty(0, np.float32)


@pytest.mark.parametrize("levels", [2, 7, 10_000])
def test_auc_agrees_with_scikit_learn_on_ties(levels):
    generator = np.random.default_rng(levels)
    targets = (generator.random(500) < 0.3).astype(np.float32)
    scores = (generator.integers(levels, size=500) / levels).astype(np.float32)

    expected = sklearn.metrics.roc_auc_score(targets, scores)

    assert labels.auc(targets, scores) == pytest.approx(expected)


def test_auc_of_one_class_is_not_computed():
    assert labels.auc(np.ones(3), np.array([0.1, 0.2, 0.3])) is None
    assert labels.auc(NOTHING, NOTHING) is None


def test_errors_by_hand():
    targets, predictions = np.array([5.0, 3.0, 1.0]), np.array([4.0, 3.0, 3.0])

    assert labels.root_mean_squared_error(targets, predictions) == pytest.approx(np.sqrt(5 / 3))
    assert labels.mean_absolute_error(targets, predictions) == pytest.approx(1.0)


def test_accuracy_and_log_loss_by_hand():
    targets, chances = np.array([1.0, 0.0, 1.0]), np.array([0.8, 0.5, 0.25], np.float32)

    assert labels.accuracy(targets, chances) == pytest.approx(2 / 3)
    expected = -(np.log(0.8) + np.log(0.5) + np.log(0.25)) / 3
    assert labels.log_loss(targets, chances) == pytest.approx(expected)


def test_a_certain_mistake_costs_much_but_not_infinitely_much():
    assert labels.log_loss(np.array([1.0]), np.array([0.0])) == pytest.approx(-np.log(1e-7))


@pytest.mark.parametrize(
    "metric", [labels.accuracy, labels.log_loss, labels.root_mean_squared_error]
)
def test_no_rows_are_not_computed(metric):
    assert metric(NOTHING, NOTHING) is None
