"""How well labels of held-out rows are predicted: over observed rows, one row one vote."""

from collections.abc import Mapping

import numpy as np

from multitask_recommender.errors import RunError
from multitask_recommender.evaluation.outcome import Outcome
from multitask_recommender.evaluation.scorer import Scorer, rank_rows
from multitask_recommender.interactions import Interactions
from multitask_recommender.metrics import labels

BINARY, RATING = "binary", "rating"

_METRICS = {
    BINARY: (labels.auc, labels.accuracy, labels.log_loss),
    RATING: (labels.root_mean_squared_error, labels.mean_absolute_error),
}


def label_metrics(scorer: Scorer, held_out: Interactions, kinds: Mapping[str, str]) -> Outcome:
    """Metrics `like/auc`, `rating/root_mean_squared_error`, ... of labels that are predicted.

    kinds: "binary" or "rating" by label; by default `rating` is a rating, all else binary. Users
    and items outside the vocabulary are predicted as unknown, id 0. Arrays, over observed rows:
    `rating/squared_error`, `like/is_correct`.
    """
    predictions = rank_rows(scorer, held_out)
    metrics: dict[str, float | None] = {}
    arrays: dict[str, np.ndarray] = {}
    for label in sorted(held_out.labels.keys() & predictions.keys()):
        kind = kinds.get(label, RATING if label == RATING else BINARY)
        rows = held_out.is_observed(label)
        targets, predicted = held_out.labels[label][rows], predictions[label][rows]
        _check(label, kind, predicted)
        for metric in _METRICS[kind]:
            metrics[f"{label}/{metric.__name__}"] = metric(targets, predicted)
        if kind == RATING:
            arrays[f"{label}/squared_error"] = np.square(predicted.astype(np.float64) - targets)
        else:
            arrays[f"{label}/is_correct"] = (predicted > 0.5) == (targets > 0.5)
    return Outcome(metrics, arrays)


def _check(label: str, kind: str, predicted: np.ndarray) -> None:
    is_right = np.isfinite(predicted)
    if kind == BINARY:
        is_right &= (predicted >= 0) & (predicted <= 1)
    if not is_right.all():
        wanted = "a probability" if kind == BINARY else "a finite number"
        raise RunError(
            f"The prediction of {label} is {predicted[~is_right][0]}, expected {wanted}: the model "
            "has diverged (lower training.learning_rate), or returns logits."
        )
