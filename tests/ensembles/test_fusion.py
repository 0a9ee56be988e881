import numpy as np
import pytest

from multitask_recommender.ensembles import fusion
from multitask_recommender.ensembles.recipe import Blend


def test_standardised_scores_have_mean_0_and_deviation_1_in_each_row():
    scores = np.array([[1, 2, 6], [7, 7, 7]], np.float32)

    # mean 3; deviations -2, -1, 3; variance 14 / 3
    expected = np.array([-2, -1, 3]) / np.sqrt(14 / 3)
    np.testing.assert_allclose(fusion.standardised(scores), [expected, [0, 0, 0]], rtol=1e-6)
    assert scores[0, 0] == 1  # the array was the caller's


def test_reciprocal_ranks_begin_at_1_of_61_and_ties_have_the_last_rank():
    scores = np.array([[0.1, 5.0, 0.3, 0.3], [2.0, 2.0, 2.0, 2.0]], np.float32)

    expected = [[1 / 64, 1 / 61, 1 / 63, 1 / 63], [1 / 64] * 4]
    np.testing.assert_allclose(fusion.reciprocal_ranks(scores), expected, rtol=1e-6)


def test_probabilities_are_added_as_logits():
    blend = Blend((0.5, 0.0, 0.5))
    members = [np.array([0.5, 0.2]), None, np.array([0.9, 0.2])]

    # logits 0 and log 9: half their sum is log 3
    np.testing.assert_allclose(fusion.probability(blend, members), [0.75, 0.2], rtol=1e-6)


def test_an_intercept_shifts_logits_and_stars():
    half = np.array([0.5])

    fused = fusion.probability(Blend((1.0,), np.log(4.0)), [half])
    stars = fusion.stars(Blend((0.25, 0.5), 1.0), [np.array([4.0]), np.array([2.0])])

    assert fused == pytest.approx(0.8)
    assert stars == pytest.approx(3.0)


def test_a_certain_member_leaves_the_others_a_say():
    fused = fusion.probability(Blend((0.5, 0.5)), [np.array([1.0]), np.array([1e-9])])

    assert fused == pytest.approx(0.5)
