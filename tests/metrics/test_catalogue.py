import numpy as np
import pytest

from multitask_recommender.metrics import catalogue


def test_percentiles_share_ties():
    np.testing.assert_allclose(
        catalogue.percentiles(np.array([3, 0, 1, 1])), [7 / 8, 1 / 8, 1 / 2, 1 / 2]
    )


def test_exposure_by_hand():
    exposure = np.array([0, 3, 0, 1])

    assert catalogue.coverage(exposure) == 1 / 2
    assert catalogue.popularity(exposure, np.array([0, 0.9, 0, 0.1])) == pytest.approx(0.7)
    # Sum of |x - y| over all ordered pairs is 20; divided by 2 n^2 times the mean, 32.
    assert catalogue.gini(exposure) == pytest.approx(20 / 32)


def test_equal_exposure_has_no_inequality():
    assert catalogue.gini(np.full(5, 2)) == 0.0


def test_nothing_recommended_is_not_computed():
    nothing = np.zeros(3, int)

    assert catalogue.coverage(nothing) is None
    assert catalogue.popularity(nothing, np.ones(3)) is None
    assert catalogue.gini(nothing) is None


def test_overlap_is_the_mean_share_of_two_lists_by_hand():
    """Lists {a, b}, {a, c}, {a, b}: pairs share 1, 2 and 1 of 2, on average 2/3."""
    assert catalogue.overlap(np.array([3, 2, 1]), 3) == pytest.approx((1 / 2 + 2 / 2 + 1 / 2) / 3)


def test_the_same_list_for_all_overlaps_wholly_and_one_list_with_none():
    assert catalogue.overlap(np.array([4, 4, 0]), 4) == 1.0
    assert catalogue.overlap(np.array([1, 1]), 1) is None
