import numpy as np
import pytest
import scipy.stats
import sklearn.metrics

from multitask_recommender.metrics.intervals import auc_difference_interval, paired_interval


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


def test_weights_are_those_of_a_repeated_pair():
    a, b = np.array([0.9, 0.5, 0.4]), np.array([0.6, 0.6, 0.2])

    interval = paired_interval(a, b, weights=np.array([1, 3, 2]))

    # differences .3, -.1, .2; mean .4 / 6; error: (1/6)^2 .2333^2 + (3/6)^2 .1667^2 + ... times 3/2
    mean = 0.4 / 6
    squares = sum((w / 6 * (d - mean)) ** 2 for w, d in ((1, 0.3), (3, -0.1), (2, 0.2)))
    reach = scipy.stats.t.ppf(0.975, 2) * np.sqrt(squares * 3 / 2)
    assert interval.mean == pytest.approx(mean)
    assert (interval.low, interval.high) == pytest.approx((mean - reach, mean + reach))
    same = paired_interval(a, b, weights=np.full(3, 7.0))
    assert (same.low, same.high) == pytest.approx(
        (paired_interval(a, b).low, paired_interval(a, b).high)
    )


def test_delong_by_hand():
    # Positives at rows 0 1 2, negatives at 3 4. Placements of a: 1, 1, .5 | 1, 2/3 + 1/6;
    # of b: 1, .5, 0 | 1/3, 2/3.
    targets = np.array([1, 1, 1, 0, 0])
    a = np.array([0.9, 0.8, 0.3, 0.1, 0.4], np.float32)
    b = np.array([0.9, 0.5, 0.1, 0.6, 0.2], np.float32)

    interval = auc_difference_interval(targets, a, b)

    of_positives = np.array([1, 1, 0.5]) - np.array([1, 0.5, 0])
    of_negatives = np.array([1, 2 / 3]) - np.array([1 / 3, 2 / 3])
    error = np.sqrt(of_positives.var(ddof=1) / 3 + of_negatives.var(ddof=1) / 2)
    assert interval.mean == pytest.approx(5 / 6 - 3 / 6)
    assert interval.high - interval.mean == pytest.approx(scipy.stats.norm.ppf(0.975) * error)


def drawn(num_users: int, rows_each: int, seed: int):
    """Two scorers whose errors are partly shared, and users of whom some are liked by all."""
    generator = np.random.default_rng(seed)
    users = np.repeat(np.arange(num_users), rows_each)
    size = len(users)
    taste = generator.normal(0, 1.2, num_users)[users]
    truth = taste + generator.normal(0, 1, size)
    targets = (truth + generator.normal(0, 1, size) > 1).astype(np.float32)
    shared = generator.normal(0, 1, size)
    a = truth + shared + generator.normal(0, 0.5, size)
    own = generator.normal(0, 1, num_users)[users]  # b misjudges whole users
    b = truth + shared + own
    return targets, np.round(a, 1), np.round(b, 1), users


def bootstrap(targets, a, b, units, rounds=400):
    """The deviation of the difference of AUCs over units (rows, users) drawn with replacement."""
    generator = np.random.default_rng(1)
    rows_of = [np.flatnonzero(units == unit) for unit in np.unique(units)]
    found = []
    for _ in range(rounds):
        drawn = generator.integers(len(rows_of), size=len(rows_of))
        rows = np.concatenate([rows_of[unit] for unit in drawn])
        auc = sklearn.metrics.roc_auc_score
        found.append(auc(targets[rows], a[rows]) - auc(targets[rows], b[rows]))
    return np.std(found)


@pytest.mark.parametrize("by_user", [False, True])
def test_the_interval_of_aucs_agrees_with_a_bootstrap(by_user):
    targets, a, b, users = drawn(num_users=60, rows_each=15, seed=0)
    rows = np.arange(len(users))

    interval = auc_difference_interval(targets, a, b, groups=users if by_user else None)

    deviation = bootstrap(targets, a, b, users if by_user else rows)
    auc = sklearn.metrics.roc_auc_score
    assert interval.mean == pytest.approx(auc(targets, a) - auc(targets, b))
    reach = scipy.stats.norm.ppf(0.975) * deviation
    assert interval.high - interval.mean == pytest.approx(reach, rel=0.15)


def test_users_make_the_interval_wider_where_their_rows_go_together():
    targets, a, b, users = drawn(num_users=60, rows_each=15, seed=0)

    by_row = auc_difference_interval(targets, a, b)
    by_user = auc_difference_interval(targets, a, b, groups=users)
    alone = auc_difference_interval(targets, a, b, groups=np.arange(len(users)))

    assert by_user.high - by_user.low > 1.2 * (by_row.high - by_row.low)
    assert (alone.low, alone.high) == pytest.approx((by_row.low, by_row.high))


def test_aucs_of_too_few_rows_or_users_have_no_interval():
    scores = np.array([0.1, 0.2, 0.3, 0.4])

    assert auc_difference_interval(np.array([1, 0, 0, 0]), scores, scores) is None
    assert auc_difference_interval(np.ones(4), scores, scores) is None
    assert auc_difference_interval(np.array([1, 0, 1, 0]), scores, scores) is not None
    users = np.array([1, 2, 1, 3])
    assert auc_difference_interval(np.array([1, 0, 1, 0]), scores, scores, groups=users) is None


def test_scores_that_do_not_pair_up_are_an_error():
    with pytest.raises(ValueError, match=r"shapes \(2,\) and \(2,\) and \(3,\), expected the same"):
        auc_difference_interval(np.ones(2), np.ones(2), np.ones(3))
