"""Metrics of predicted labels: `targets` [N] against `predictions` [N], over observed rows.

Undefined (no rows; for AUC, one class only) is None: not computed, never 0.
"""

import numpy as np

_EDGE = 1e-7  # a certain prediction that is wrong costs -log(1e-7) = 16.1, not infinity


def auc(targets: np.ndarray, probabilities: np.ndarray) -> float | None:
    """Chance that a positive row scores above a negative one; a tie counts half. O(N log N)."""
    order = np.argsort(probabilities)
    ordered = probabilities[order]
    positive = targets[order] > 0
    num_positive = int(positive.sum())
    num_negative = len(positive) - num_positive
    if not num_positive or not num_negative:
        return None
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    ends = np.append(starts[1:], len(ordered))
    ranks = (starts + ends + 1) / 2  # ties share the mean of their ranks, from 1
    total = float(ranks @ np.add.reduceat(positive.astype(np.float64), starts))
    return (total - num_positive * (num_positive + 1) / 2) / (num_positive * num_negative)


def accuracy(targets: np.ndarray, probabilities: np.ndarray) -> float | None:
    """Share of rows on the right side of one half; one half itself predicts 0."""
    return _mean((probabilities > 0.5) == (targets > 0.5))


def log_loss(targets: np.ndarray, probabilities: np.ndarray) -> float | None:
    """Mean negative log likelihood, in nats; probabilities are kept 1e-7 from 0 and 1."""
    chances = np.clip(probabilities.astype(np.float64), _EDGE, 1 - _EDGE)
    return _mean(-np.where(targets > 0.5, np.log(chances), np.log1p(-chances)))


def root_mean_squared_error(targets: np.ndarray, predictions: np.ndarray) -> float | None:
    mean = _mean(np.square(predictions.astype(np.float64) - targets))
    return None if mean is None else float(np.sqrt(mean))


def mean_absolute_error(targets: np.ndarray, predictions: np.ndarray) -> float | None:
    return _mean(np.abs(predictions.astype(np.float64) - targets))


def _mean(values: np.ndarray) -> float | None:
    return float(np.mean(values)) if len(values) else None
