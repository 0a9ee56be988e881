"""Against scikit-learn and numpy; what is learnt of whole runs is in tests/test_ensembling.py."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from multitask_recommender.ensembles.learning import Samples

TAKES = {"like": (True, True), "rating": (True, True)}


def drawn(number=4_000):
    generator = np.random.default_rng(4)
    said = generator.normal(0, 1, (number, 2)).astype(np.float32)
    noise = generator.logistic(0, 1, number)
    return said, (1.2 * said[:, 0] + 0.4 * said[:, 1] - 0.5 + noise > 0).astype(np.float32), noise


def blends(said, targets, kind, takes=None):
    label = "rating" if kind == "rating" else "like"
    samples = Samples(None, None, {label: (said, targets)}, {label: kind})
    return samples.blends(takes or TAKES).get(label)


def test_binary_labels_are_a_logistic_regression():
    said, targets, _ = drawn()

    blend = blends(said, targets, "binary")

    expected = LogisticRegression(C=1e6).fit(said, targets)
    assert blend.weights == pytest.approx(expected.coef_[0], abs=2e-3)
    assert blend.intercept == pytest.approx(expected.intercept_[0], abs=2e-3)


def test_stars_are_least_squares():
    said, _, noise = drawn()
    targets = 2 * said[:, 0] + 0.5 * said[:, 1] + 3 + noise

    blend = blends(said, targets, "rating")

    expected = LinearRegression().fit(said, targets)
    assert blend.weights == pytest.approx(expected.coef_, abs=1e-4)
    assert blend.intercept == pytest.approx(expected.intercept_, abs=1e-4)


@pytest.mark.parametrize("kind", ["binary", "rating"])
def test_no_member_counts_less_than_nothing(kind):
    said, targets, _ = drawn()

    blend = blends(said * [1, -1], targets, kind)

    assert blend.weights[0] > 0.1
    assert blend.weights[1] == pytest.approx(0.0, abs=1e-9)


def test_a_member_that_is_left_out_has_no_weight_and_a_label_of_nobody_no_blend():
    said, targets, _ = drawn()

    assert blends(said, targets, "binary", {"like": (False, True)}).weights[0] == 0
    assert blends(said, targets, "binary", {"like": (False, False)}) is None
    assert blends(said[:0], targets[:0], "binary") is None
