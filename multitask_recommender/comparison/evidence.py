"""What pictures show of an entry's runs: curves, calibration, recall by popularity, gates."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from multitask_recommender.comparison.finished import Run
from multitask_recommender.schema import VALIDATION
from multitask_recommender.training.early_stopping import NDCG

_BINS = 10
_GATE = "gate/"
_LOSS = "loss"
_SEARCH = "search"  # the phase that is validated


def of(runs: Sequence[Run]) -> dict[str, Any]:
    return {
        "curve": _curve(runs),
        "calibration": _calibration(runs),
        "popularity_recall": _popularity_recall(runs),
        "gates": _gates(runs[0]),
    }


def _curve(runs: Sequence[Run]) -> dict[str, Any]:
    """The mean over seeds, by epoch, of nDCG on validation or else of the loss there."""
    columns = list(runs[0].history[0]) if runs[0].history else []
    ranked = [key for key in columns if key.startswith(NDCG)]
    key = (ranked or [f"{VALIDATION}/{_LOSS}", _LOSS])[-1]
    points = defaultdict(list)
    for run in runs:
        for row in run.history:
            if row["phase"] == _SEARCH and row.get(key):
                points[int(row["epoch"])].append(float(row[key]))
    return {"of": key, "points": [[at, float(np.mean(points[at]))] for at in sorted(points)]}


def _calibration(runs: Sequence[Run]) -> dict[str, list[dict[str, float]]]:
    """Of each binary label: mean prediction and rate of positives, in bins of equal mass."""
    found = {}
    for label, task in runs[0].config.tasks.items():
        if task.name != "binary":
            continue
        rows = [run.per_row.filter(run.per_row["label"] == label) for run in runs]
        predictions = np.concatenate([each["prediction"].to_numpy() for each in rows])
        targets = np.concatenate([each["target"].to_numpy() for each in rows])
        order = np.argsort(predictions, kind="stable")
        found[label] = [
            {
                "prediction": float(predictions[part].mean(dtype=np.float64)),
                "rate": float(targets[part].mean(dtype=np.float64)),
            }
            for part in np.array_split(order, _BINS)
            if len(part)
        ]
    return found


def _popularity_recall(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The mean over seeds, of strata that all of them have."""
    by_run = [
        {stratum["to"]: stratum for stratum in run.results["popularity_recall"]} for run in runs
    ]
    common = [to for to in by_run[0] if all(to in strata for strata in by_run)]
    return [
        {key: float(np.mean([strata[to][key] for strata in by_run])) for key in by_run[0][to]}
        for to in common
    ]


def _gates(run: Run) -> dict[str, list[float]]:
    """The mean weights of the experts at the last epoch, by gate; of the first seed alone."""
    row = run.history[-1] if run.history else {}
    found = defaultdict(list)
    for key, value in row.items():
        if key.startswith(_GATE) and value:
            found[key.removeprefix(_GATE).rpartition("/")[0]].append(float(value))
    return dict(found)
