"""How well labels of held-out rows are predicted: over observed rows, one row one vote."""

from collections.abc import Iterable, Mapping

import numpy as np

from multitask_recommender.errors import RunError
from multitask_recommender.evaluation.fold_in import NO_HISTORIES, Histories
from multitask_recommender.evaluation.outcome import Outcome
from multitask_recommender.evaluation.scorer import Predictor, rank_rows
from multitask_recommender.interactions import Interactions
from multitask_recommender.metrics import labels
from multitask_recommender.metrics.direction import Direction, direction
from multitask_recommender.schema import USER_ID

BINARY, RATING = "binary", "rating"
TARGET, PREDICTION, USER = "target", "prediction", "user"  # arrays of a label, by observed row

_METRICS = {
    BINARY: (
        labels.auc,
        labels.average_precision,
        labels.log_loss,
        labels.normalised_entropy,
        labels.expected_calibration_error,
        labels.accuracy,
    ),
    RATING: (labels.root_mean_squared_error, labels.mean_absolute_error),
}


_BY_NAME = {metric.__name__: metric for kind in _METRICS.values() for metric in kind}
_BY_NAME["gauc"] = labels.grouped_auc
_FEW_ROWS = 10_000


def label_metrics(
    scorer: Predictor,
    held_out: Interactions,
    kinds: Mapping[str, str],
    histories: Histories = NO_HISTORIES,
) -> Outcome:
    """Metrics `like/auc`, `like/gauc`, `rating/root_mean_squared_error`, ... of predicted labels.

    kinds: "binary" or "rating" by label; by default `rating` is a rating, all else binary. Users
    and items outside the vocabulary are predicted as unknown, id 0.

    Arrays, over observed rows, of every label: `like/target`, `like/prediction` and `like/user`
    (`auc_difference_interval` compares these); of ratings `rating/squared_error`; of binary labels
    `like/is_correct` and, for users with both classes, in ascending order of ids, `like/user_auc`
    and `like/user_rows`, the values and weights that `like/gauc` is the mean of.
    """
    predictions = rank_rows(scorer, held_out, histories)
    outcome = Outcome()
    for label in sorted(held_out.labels.keys() & predictions.keys()):
        kind = kinds.get(label, RATING if label == RATING else BINARY)
        rows = held_out.is_observed(label)
        targets, predicted = held_out.labels[label][rows], predictions[label][rows]
        _check(label, kind, predicted)
        for metric in _METRICS[kind]:
            outcome.metrics[f"{label}/{metric.__name__}"] = metric(targets, predicted)
        outcome.counts[label] = {"rows": len(targets)}
        users = held_out.user_ids[rows]
        kept = {TARGET: targets, PREDICTION: predicted, USER: users}
        outcome.arrays.update({f"{label}/{name}": values for name, values in kept.items()})
        if kind == RATING:
            error = predicted.astype(np.float64) - targets
            outcome.arrays[f"{label}/squared_error"] = np.square(error)
        else:
            _add_by_user(outcome, label, targets, predicted, users)
    return outcome


def label_directions(
    held_out: Interactions, kinds: Mapping[str, str]
) -> dict[str, Direction | None]:
    """The metrics that a scorer which predicts the labels of `kinds` will have.

    And which way each is better. A metric that some of the rows define is defined by all of them,
    so few rows mostly tell.
    """
    known: dict[str, float | None] = {}
    for rows in (slice(_FEW_ROWS), slice(None)):
        known = label_metrics(_Constant(kinds), held_out.take(rows), kinds).metrics
        if None not in known.values():
            break
    return {
        name: direction(_BY_NAME[name.rpartition("/")[2]])
        for name, value in known.items()
        if value is not None
    }


class _Constant:
    """Predicts one half for every label: a scorer of no skill, to see what is defined."""

    def __init__(self, labels: Iterable[str]) -> None:
        self._labels = list(labels)

    def rank(self, queries: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return dict.fromkeys(self._labels, np.full(len(queries[USER_ID]), 0.5, np.float32))


def _add_by_user(
    outcome: Outcome,
    label: str,
    targets: np.ndarray,
    predicted: np.ndarray,
    users: np.ndarray,
) -> None:
    """GAUC with its counts, and the arrays of a binary label."""
    by_user = labels.grouped_auc(targets, predicted, users)
    outcome.metrics[f"{label}/gauc"] = by_user.mean
    outcome.counts[label] |= {
        "positives": int(np.count_nonzero(targets > 0.5)),
        "gauc_users": len(by_user.groups),
        "gauc_users_of_one_class_left_out": by_user.num_left_out,
    }
    arrays = {
        "is_correct": (predicted > 0.5) == (targets > 0.5),
        "user_auc": by_user.values,
        "user_rows": by_user.rows,
    }
    for name, values in arrays.items():
        outcome.arrays[f"{label}/{name}"] = values


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
