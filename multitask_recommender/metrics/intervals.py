"""Is the difference between two models more than chance? Intervals of paired differences."""

import dataclasses

import numpy as np

from multitask_recommender.metrics.levels import score_codes


@dataclasses.dataclass(frozen=True)
class Interval:
    """The mean of a paired difference, and where it lies with the given confidence."""

    mean: float
    low: float
    high: float
    confidence: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def mean_interval(values: np.ndarray, confidence: float = 0.95) -> Interval | None:
    """Student's t-interval of the mean of values [N], a user each; None with fewer than two."""
    return paired_interval(values, np.zeros(len(values)), confidence)


def paired_interval(
    a: np.ndarray, b: np.ndarray, confidence: float = 0.95, weights: np.ndarray | None = None
) -> Interval | None:
    """Student's t-interval of mean(a - b) over the same users or rows, in the same order [N].

    With weights [N], of the weighted mean (GAUC: the AUC and the number of rows of each user), its
    error being that of a ratio of two sums. None with fewer than two pairs. Rows of one user are
    not independent: compare means by user. Raises ValueError where the arrays do not pair up.
    """
    _check_pairs(a, b, weights)
    if len(a) < 2:
        return None
    import scipy.stats  # half a second, and only comparisons need it

    difference = a.astype(np.float64) - b
    shares = np.full(len(a), 1 / len(a)) if weights is None else weights / weights.sum()
    mean = float(shares @ difference)
    squares = float(np.square(shares * (difference - mean)).sum())
    error = np.sqrt(squares * len(a) / (len(a) - 1))
    reach = float(scipy.stats.t.ppf((1 + confidence) / 2, len(difference) - 1)) * error
    return Interval(mean, float(mean - reach), float(mean + reach), confidence)


def auc_difference_interval(
    targets: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    confidence: float = 0.95,
    groups: np.ndarray | None = None,
) -> Interval | None:
    """Normal interval of AUC(a) - AUC(b), two scores of the same rows [N].

    DeLong et al., "Comparing the Areas under Two or More Correlated Receiver Operating
    Characteristic Curves", Biometrics 1988, by the midranks of Sun and Xu, IEEE Signal Processing
    Letters 2014: O(N log N). Rows of one user are not independent: with their ids int [N] in
    `groups`, the variance is that of Obuchowski, "Nonparametric Analysis of Clustered ROC Curve
    Data", Biometrics 1997, whose units are users. None with fewer than two units (rows, or users
    who have any) of either class. Raises ValueError where the arrays do not pair up.
    """
    found = auc_differences(targets, a[None], b[None], groups)
    if found is None:
        return None
    import scipy.stats

    (mean,), variance = found
    reach = float(scipy.stats.norm.ppf((1 + confidence) / 2) * np.sqrt(variance))
    return Interval(float(mean), float(mean - reach), float(mean + reach), confidence)


def auc_differences(
    targets: np.ndarray, a: np.ndarray, b: np.ndarray, groups: np.ndarray | None = None
) -> tuple[np.ndarray, float] | None:
    """AUC(a) - AUC(b) by seed [S], and the variance of their mean; see auc_difference_interval.

    a, b: scores [S, N] of the same rows.
    """
    _check_pairs(targets, *a, *b, groups)
    if len(a) != len(b):
        raise ValueError(f"Paired values have {len(a)} and {len(b)} seeds: give the same of both.")
    is_positive = targets > 0.5
    if is_positive.all() or not is_positive.any():
        return None
    pairs = zip(a, b, strict=True)
    differences = [_placements(is_positive, x) - _placements(is_positive, y) for x, y in pairs]
    by_seed = np.array([each[is_positive].mean() for each in differences])
    units = None if groups is None else np.unique(groups, return_inverse=True)[1]
    deviations = np.mean(differences, axis=0) - by_seed.mean()  # [N]
    variance = _variance_of_units(deviations, is_positive, units)
    return None if variance is None else (by_seed, variance)


def _variance_of_units(
    deviations: np.ndarray, is_positive: np.ndarray, units: np.ndarray | None
) -> float | None:
    """Variance of an AUC from its placements [N], less the AUC; None with too few units."""
    sums, counts = [], []
    for rows in (is_positive, ~is_positive):
        of_rows = deviations[rows] / np.count_nonzero(rows)
        if units is not None:
            num_units = int(units.max()) + 1
            counts.append(np.count_nonzero(np.bincount(units[rows], minlength=num_units)))
            of_rows = np.bincount(units[rows], of_rows, num_units)
        else:
            counts.append(len(of_rows))
        sums.append(of_rows)
    if min(counts) < 2:
        return None
    parts = [(s @ s) * n / (n - 1) for s, n in zip(sums, counts, strict=True)]
    if units is not None:  # a user's positive and negative rows vary together
        num_units = len(sums[0])
        parts.append(2 * (sums[0] @ sums[1]) * num_units / (num_units - 1))
    return float(sum(parts))


def _placements(is_positive: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Of each row [N] the share of rows of the other class that it is on the right side of.

    Ties count half. Means over the positive rows and over the negative rows are both the AUC.
    """
    # One integer of score and row sorts faster than an argsort of scores.
    keys = (score_codes(scores).astype(np.uint64) << 32) | np.arange(len(scores), dtype=np.uint64)
    keys.sort()
    rows = (keys & 0xFFFFFFFF).astype(np.int64)
    codes = keys >> 32
    starts = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
    lengths = np.diff(starts, append=len(rows))
    positive = is_positive[rows]
    positives = np.add.reduceat(positive.astype(np.int64), starts)  # of each level
    negatives = lengths - positives
    below = np.cumsum(negatives) - negatives / 2
    above = positives.sum() - np.cumsum(positives) + positives / 2
    values = np.where(
        positive,
        np.repeat(below / negatives.sum(), lengths),
        np.repeat(above / positives.sum(), lengths),
    )
    placements = np.empty(len(rows))
    placements[rows] = values
    return placements


def _check_pairs(first: np.ndarray, *others: np.ndarray | None) -> None:
    arrays = [first, *(other for other in others if other is not None)]
    if first.ndim != 1 or any(array.shape != first.shape for array in arrays):
        shapes = " and ".join(str(array.shape) for array in arrays)
        raise ValueError(
            f"Paired values have shapes {shapes}, expected the same [N]: evaluate both models on "
            "the same held-out rows."
        )
