"""Differences with errors, against scipy and by hand."""

import numpy as np
import pytest
import scipy.stats

from multitask_recommender.metrics.paired import (
    Difference,
    difference,
    holm,
    ratio_difference,
)


def test_a_p_value_and_an_interval_are_student_s():
    found = Difference(mean=0.3, error=0.1, freedom=7.0)

    assert found.p_value == pytest.approx(2 * scipy.stats.t.sf(3.0, 7))
    interval = found.interval(0.9)
    low, high = scipy.stats.t.interval(0.9, 7, loc=0.3, scale=0.1)
    assert (interval.low, interval.high) == pytest.approx((low, high))


def test_no_error_leaves_no_doubt():
    assert Difference(0.0, 0.0, 3.0).p_value == 1.0
    assert Difference(0.1, 0.0, 3.0).p_value == 0.0
    assert Difference(0.1, 0.0, 3.0).interval(0.95).excludes_zero


def test_users_and_seeds_add_up_with_the_freedom_of_welch():
    """Seeds .1, .2, .6: mean .3, variance of the mean .07 / 3; users: .01 of 50."""
    found = difference(np.array([0.1, 0.2, 0.6]), 0.01, 50)

    seeds = 0.07 / 3
    assert found.mean == pytest.approx(0.3)
    assert found.error == pytest.approx(np.sqrt(0.01 + seeds))
    assert found.freedom == pytest.approx((0.01 + seeds) ** 2 / (0.01**2 / 49 + seeds**2 / 2))


def test_one_seed_leaves_the_users():
    found = difference(np.array([0.3]), 0.04, 9)

    assert (found.error, found.freedom) == (pytest.approx(0.2), pytest.approx(8))


def test_a_difference_of_means_has_the_error_of_the_t_test():
    rng = np.random.default_rng(3)
    a, b = rng.normal(0.5, 1, 400), rng.normal(0.2, 1, 400)

    found = ratio_difference(a[None], b[None], np.ones(400))

    expected = scipy.stats.ttest_rel(a, b)
    assert found.mean == pytest.approx(np.mean(a - b))
    assert found.error == pytest.approx(np.std(a - b, ddof=1) / 20, rel=0.06)
    assert found.p_value == pytest.approx(expected.pvalue, rel=0.6)


def test_a_root_of_a_ratio_is_that_of_all_rows():
    """Squared errors 9 + 7 of 4 rows against 3 + 1: RMSE 2 and 1."""
    sizes = np.array([1.0, 3.0])

    found = ratio_difference(np.array([[9.0, 7.0]]), np.array([[3.0, 1.0]]), sizes, np.sqrt)

    assert found.mean == pytest.approx(2 - 1)


def test_sums_that_do_not_pair_up_are_an_error():
    with pytest.raises(ValueError, match=r"shapes \(1, 3\) and \(1, 2\) with sizes \(3,\)"):
        ratio_difference(np.ones((1, 3)), np.ones((1, 2)), np.ones(3))


def test_one_user_has_no_interval():
    assert ratio_difference(np.ones((2, 1)), np.ones((2, 1)), np.ones(1)) is None


def test_holm_by_hand():
    """.01 <= .05 / 4; .04 > .05 / 3: it and all above it are tested at .05 / 3."""
    assert holm([0.04, 0.01, 0.9, 0.3]) == pytest.approx([0.05 / 3, 0.05 / 4, 0.05 / 3, 0.05 / 3])


def test_holm_where_all_are_found_and_where_there_are_none():
    assert holm([0.001, 0.002]) == pytest.approx([0.05 / 2, 0.05])
    assert holm([]) == []


def test_an_interval_at_holm_s_level_excludes_zero_where_the_test_rejects():
    found = [Difference(mean, 0.1, 30.0) for mean in (0.5, 0.28, 0.24, 0.2, 0.01)]
    p_values = [each.p_value for each in found]

    levels = holm(p_values)

    for each, p_value, level in zip(found, p_values, levels, strict=True):
        assert each.interval(1 - level).excludes_zero == (p_value <= level)
