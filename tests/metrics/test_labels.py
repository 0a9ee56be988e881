"""Label metrics by hand, and against scikit-learn."""

import numpy as np
import pytest
import sklearn.calibration
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


SCORES = [
    pytest.param(lambda scores: (scores / 7).astype(np.float32), id="float32"),
    pytest.param(lambda scores: scores / 7, id="float64"),
    pytest.param(lambda scores: (scores - 9).astype(np.float32), id="negative"),
    pytest.param(lambda scores: np.where(scores < 4, -0.0, 0.0).astype(np.float32), id="zeros"),
]


@pytest.mark.parametrize("make", SCORES)
@pytest.mark.parametrize("label_type", [np.float32, np.uint8, bool])
def test_average_precision_and_auc_agree_with_scikit_learn(make, label_type):
    generator = np.random.default_rng(3)
    targets = (generator.random(700) < 0.1).astype(label_type)
    scores = make(generator.integers(20, size=700))

    ours = labels.average_precision(targets, scores), labels.auc(targets, scores)

    metrics = sklearn.metrics
    expected = (
        metrics.average_precision_score(targets, scores),
        metrics.roc_auc_score(targets, scores),
    )
    assert ours == pytest.approx(expected)


def test_average_precision_by_hand():
    # From the best: 1 of 1, then a tie of one positive and one negative (2 of 3), then 0.
    targets, scores = np.array([0, 1, 0, 1]), np.array([0.1, 0.9, 0.5, 0.5], np.float32)

    assert labels.average_precision(targets, scores) == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert labels.average_precision(np.zeros(2), np.array([0.1, 0.2])) is None
    assert labels.average_precision(np.ones(2), np.array([0.1, 0.2])) == 1


def test_grouped_auc_by_hand():
    # User 3: of 1 positive x 2 negatives one is won, one tied. User 8 wins 1 of 1. Users 5 and 9
    # are of one class.
    users = np.array([8, 3, 5, 3, 8, 3, 5, 9], np.int32)
    targets = np.array([1, 1, 0, 0, 0, 0, 0, 1], np.float32)
    scores = np.array([0.2, 0.5, 0.9, 0.5, 0.1, 0.3, 0.2, 0.7], np.float32)

    found = labels.grouped_auc(targets, scores, users)

    assert found.groups.tolist() == [3, 8]
    assert found.values.tolist() == [0.75, 1.0]
    assert found.rows.tolist() == [3, 2]
    assert found.num_left_out == 2
    assert found.mean == pytest.approx((3 * 0.75 + 2 * 1.0) / 5)


def test_grouped_auc_agrees_with_scikit_learn_user_by_user():
    generator = np.random.default_rng(5)
    users = generator.integers(1, 40, 600)
    targets = (generator.random(600) < 0.2).astype(np.uint8)
    scores = (generator.integers(9, size=600) / 9).astype(np.float32)
    total, weight = 0.0, 0
    for user in np.unique(users):
        mine = users == user
        if 0 < targets[mine].sum() < mine.sum():
            total += mine.sum() * sklearn.metrics.roc_auc_score(targets[mine], scores[mine])
            weight += mine.sum()

    assert labels.grouped_auc(targets, scores, users).mean == pytest.approx(total / weight)


def test_grouped_auc_without_a_user_of_both_classes_is_not_computed():
    found = labels.grouped_auc(np.array([1, 0]), np.array([0.1, 0.2]), np.array([1, 2]))

    assert (found.mean, found.num_left_out) == (None, 2)
    assert labels.grouped_auc(NOTHING, NOTHING, NOTHING.astype(int)).mean is None


def test_normalised_entropy_of_the_base_rate_is_one():
    targets = np.array([1, 0, 0, 0, 1], np.float32)

    assert labels.normalised_entropy(targets, np.full(5, 0.4)) == pytest.approx(1)
    sure = labels.normalised_entropy(targets, np.array([0.8, 0.2, 0.2, 0.2, 0.8]))
    assert sure == pytest.approx(np.log(0.8) / (0.4 * np.log(0.4) + 0.6 * np.log(0.6)))


def test_normalised_entropy_of_one_class_is_not_computed():
    assert labels.normalised_entropy(np.ones(3), np.full(3, 0.9)) is None
    assert labels.normalised_entropy(NOTHING, NOTHING) is None


def test_calibration_error_by_hand():
    # Two bins of three rows: means .2 against 1/3, .7 against 2/3.
    scores = np.array([0.9, 0.1, 0.3, 0.5, 0.2, 0.7], np.float32)
    targets = np.array([1, 0, 1, 0, 0, 1], np.float32)

    found = labels.expected_calibration_error(targets, scores, num_bins=2)

    assert found == pytest.approx((abs(0.2 - 1 / 3) + abs(0.7 - 2 / 3)) / 2, rel=1e-6)


def test_calibration_error_of_ties_does_not_depend_on_the_order_of_rows():
    targets = np.array([1, 1, 0, 0, 0, 0, 0, 0, 0, 0], np.float32)
    same = np.full(10, 0.25, np.float32)

    assert labels.expected_calibration_error(targets, same) == pytest.approx(0.05)
    assert labels.expected_calibration_error(targets[::-1], same) == pytest.approx(0.05)


def test_calibration_error_of_equal_mass_bins_agrees_with_scikit_learn():
    generator = np.random.default_rng(2)
    scores = generator.random(4_000) ** 4
    targets = (generator.random(4_000) < scores**0.8).astype(np.float32)

    rates, means = sklearn.calibration.calibration_curve(
        targets, scores, n_bins=20, strategy="quantile"
    )
    assert labels.expected_calibration_error(targets, scores) == pytest.approx(
        np.abs(rates - means).mean(), abs=2e-4
    )


def test_chances_that_are_right_are_calibrated_and_know_the_best_auc():
    generator = np.random.default_rng(4)
    chances = generator.random(100_000, dtype=np.float32) * 0.1
    targets = generator.random(100_000) < chances

    assert labels.expected_calibration_error(targets, chances) < 0.005
    assert labels.expected_calibration_error(targets, chances * 2) == pytest.approx(0.05, abs=0.003)


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
    "metric",
    [
        labels.accuracy,
        labels.average_precision,
        labels.expected_calibration_error,
        labels.log_loss,
        labels.root_mean_squared_error,
    ],
)
def test_no_rows_are_not_computed(metric):
    assert metric(NOTHING, NOTHING) is None
