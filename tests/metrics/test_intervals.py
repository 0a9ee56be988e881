import numpy as np
import pytest
import scipy.stats

from multitask_recommender.metrics.intervals import paired_interval


def test_the_interval_agrees_with_the_paired_t_test():
    generator = np.random.default_rng(0)
    b = generator.random(30)
    a = b + generator.normal(0.1, 0.3, 30)

    interval = paired_interval(a, b)

    expected = scipy.stats.ttest_rel(a, b).confidence_interval(0.95)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))
    assert interval.mean == pytest.approx((a - b).mean())


def test_a_constant_difference_excludes_zero():
    assert paired_interval(np.array([1.5, 2.5, 3.5]), np.array([1.0, 2.0, 3.0])).excludes_zero
    assert not paired_interval(np.ones(3), np.ones(3)).excludes_zero


def test_one_pair_has_no_interval():
    assert paired_interval(np.ones(1), np.zeros(1)) is None


def test_what_does_not_pair_up_is_an_error():
    with pytest.raises(ValueError, match=r"shapes \(2,\) and \(3,\)"):
        paired_interval(np.ones(2), np.ones(3))
