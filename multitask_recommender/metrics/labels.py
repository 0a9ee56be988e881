"""Metrics of predicted labels: `targets` [N] against `predictions` [N], over observed rows.

Undefined (no rows; for AUC and the like, one class only) is None: not computed, never 0. All are
vectorised: 10 million rows take about a second each, by user a few (benchmarks/label_metrics.py).
"""

import dataclasses

import numpy as np

from multitask_recommender.metrics.direction import higher_is_better, lower_is_better
from multitask_recommender.metrics.levels import levels

_EDGE = 1e-7  # a certain prediction that is wrong costs -log(1e-7) = 16.1, not infinity
_BINS = 20


@higher_is_better
def auc(targets: np.ndarray, probabilities: np.ndarray) -> float | None:
    """Chance that a positive row scores above a negative one; a tie counts half. O(N log N)."""
    return _auc_of_groups(targets, probabilities, None).mean


@dataclasses.dataclass(frozen=True)
class GroupedAuc:
    """The AUC of each group (user) that has rows of both classes, and how many groups have not."""

    groups: np.ndarray  # int32 [G] ascending
    values: np.ndarray  # float64 [G]
    rows: np.ndarray  # int64 [G]: the weights of the mean
    num_left_out: int  # groups whose rows are all of one class

    @property
    def mean(self) -> float | None:
        """Weighted by the number of rows of each group."""
        return float(np.average(self.values, weights=self.rows)) if len(self.rows) else None


@higher_is_better
def grouped_auc(targets: np.ndarray, probabilities: np.ndarray, groups: np.ndarray) -> GroupedAuc:
    """GAUC: the AUC within each user's rows, weighted by their number (impressions).

    Zhou et al., "Deep Interest Network for Click-Through Rate Prediction", KDD 2018, section 5.3.
    Users of one class have no AUC: they are left out, weights included, and counted. groups are
    ids int [N], 0 or more.
    """
    return _auc_of_groups(targets, probabilities, groups)


@higher_is_better
def average_precision(targets: np.ndarray, probabilities: np.ndarray) -> float | None:
    """PR-AUC as a sum over recall steps, not interpolated: mean precision at the positive rows.

    Rows of one score are one step, so that their order does not matter.
    """
    found = levels(targets, probabilities)
    rows, positives = found.rows[::-1], found.positives[::-1]  # best first
    hits = np.cumsum(positives)
    if not len(hits) or not hits[-1]:
        return None
    return float(positives @ (hits / np.cumsum(rows)) / hits[-1])


@higher_is_better
def accuracy(targets: np.ndarray, probabilities: np.ndarray) -> float | None:
    """Share of rows on the right side of one half; one half itself predicts 0."""
    return _mean((probabilities > 0.5) == (targets > 0.5))


@lower_is_better
def log_loss(targets: np.ndarray, probabilities: np.ndarray) -> float | None:
    """Mean negative log likelihood, in nats; probabilities are kept 1e-7 from 0 and 1."""
    return _mean(log_losses(targets, probabilities))


def log_losses(targets: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """What `log_loss` is the mean of, float64 [N]."""
    chances = probabilities.astype(np.float64)
    chances = np.where(targets > 0.5, chances, 1 - chances)  # of what came true
    return -np.log(np.clip(chances, _EDGE, 1 - _EDGE))


@lower_is_better
def normalised_entropy(targets: np.ndarray, probabilities: np.ndarray) -> float | None:
    """Log loss over that of always predicting the rate of positives: below 1 knows more.

    He et al., "Practical Lessons from Predicting Clicks on Ads at Facebook", ADKDD 2014, section
    3. The rate is that of these rows.
    """
    positives = np.count_nonzero(targets > 0.5)
    rates = np.array([positives, len(targets) - positives]) / max(len(targets), 1)
    if not rates.all():
        return None
    return log_loss(targets, probabilities) / float(-rates @ np.log(rates))


@lower_is_better
def expected_calibration_error(
    targets: np.ndarray, probabilities: np.ndarray, num_bins: int = _BINS
) -> float | None:
    """Mean over rows of |mean prediction - rate of positives| of the bin they are in.

    Bins of equal mass (Nixon et al., "Measuring Calibration in Deep Learning", CVPR workshops
    2019, section 4.1, there called adaptive): with equal widths, all rows of a rare label would
    share the first bin. Rows of one score share a bin, so that their order does not matter.
    """
    if not len(targets):
        return None
    edges = np.sort(probabilities)[len(targets) * np.arange(1, num_bins) // num_bins]
    bins = np.searchsorted(edges, probabilities, side="right")
    gaps = np.bincount(bins, probabilities) - np.bincount(bins, targets > 0.5)
    return float(np.abs(gaps).sum() / len(targets))


@lower_is_better
def root_mean_squared_error(targets: np.ndarray, predictions: np.ndarray) -> float | None:
    mean = _mean(np.square(predictions.astype(np.float64) - targets))
    return None if mean is None else float(np.sqrt(mean))


@lower_is_better
def mean_absolute_error(targets: np.ndarray, predictions: np.ndarray) -> float | None:
    return _mean(np.abs(predictions.astype(np.float64) - targets))


def _auc_of_groups(
    targets: np.ndarray, probabilities: np.ndarray, groups: np.ndarray | None
) -> GroupedAuc:
    found = levels(targets, probabilities, groups)
    negatives = found.negatives
    starts = np.flatnonzero(np.diff(found.groups, prepend=-1))
    if not len(starts):
        nothing = np.empty(0, np.int64)
        return GroupedAuc(nothing, nothing.astype(np.float64), nothing, 0)
    below = np.cumsum(negatives) - negatives  # of the groups before, too
    wins = np.add.reduceat(found.positives * (2 * below + negatives), starts)
    positive, negative = (np.add.reduceat(n, starts) for n in (found.positives, negatives))
    wins -= 2 * positive * below[starts]  # whole numbers up to here: nothing is rounded
    has_both = (positive > 0) & (negative > 0)
    return GroupedAuc(
        groups=found.groups[starts][has_both],
        values=wins[has_both] / (2 * positive * negative)[has_both],
        rows=(positive + negative)[has_both],
        num_left_out=int(np.count_nonzero(~has_both)),
    )


def _mean(values: np.ndarray) -> float | None:
    return float(np.mean(values)) if len(values) else None
