"""One model minus another by task, paired on the same users by the same seeds, for many at once.

Ranking metrics are means over users; log loss and squared error are sums over users' rows: all are
bootstrapped over users (metrics/paired.py). AUC is a mean over pairs of rows: its variance is
Obuchowski's, whose units are users too (metrics/intervals.py).
"""

import dataclasses
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from multitask_recommender.comparison.finished import Run
from multitask_recommender.errors import RunError
from multitask_recommender.metrics import labels, ranking
from multitask_recommender.metrics.direction import LOWER, direction
from multitask_recommender.metrics.intervals import auc_differences
from multitask_recommender.metrics.paired import Difference, difference, holm, ratio_difference

LEVEL = 0.05
NO_DIFFERENCE, BETTER, WORSE = "no difference found", "better", "worse"
MARKS = {BETTER: "+", WORSE: "-"}  # of a verdict, beside a figure
_RANKED_BY = (("full", "ndcg", 10), ("full", "recall", 20), ("unfiltered", "mrr", 20))
_RMSE = "root_mean_squared_error"


@dataclasses.dataclass(frozen=True)
class Pair:
    """Runs of one model over seeds and those of another, both of which learn the task."""

    name: str
    runs: Sequence[Run]
    other_name: str
    others: Sequence[Run]
    task: str
    is_twin: bool


def nearest(keys: Sequence[str], protocol: str, metric: str, cutoff: int) -> str | None:
    """The key `full/ndcg@10`, or that of the nearest cut-off; None where there is none."""
    found = [re.fullmatch(rf"(?:test/)?{protocol}/{metric}@(\d+)", key) for key in keys]
    matches = [match for match in found if match]
    if not matches:
        return None
    return min(matches, key=lambda match: (abs(int(match[1]) - cutoff), int(match[1])))[0]


def less_is_better(key: str) -> bool:
    """Whether the metric of a key (`test/full/ndcg@10`) is declared so: metrics/direction.py."""
    name = key.rpartition("/")[2].partition("@")[0]
    metric = getattr(ranking, name, None) or getattr(labels, name, None)
    return metric is not None and direction(metric) == LOWER


def compare(pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    """For each pair and metric of its task: the difference, its interval, and what that says."""
    found = [
        (pair, metric, each, len(common))
        for pair in pairs
        for common in [_common_seeds(pair)]
        if common
        for metric, each in _of(pair, common)
        if each is not None
    ]
    levels = holm([each.p_value for _, _, each, _ in found], LEVEL)
    return [
        _told(pair, metric, each, num_seeds, level)
        for (pair, metric, each, num_seeds), level in zip(found, levels, strict=True)
    ]


def _told(
    pair: Pair, metric: str, found: Difference, num_seeds: int, level: float
) -> dict[str, Any]:
    interval, is_lower = found.interval(1 - level), less_is_better(metric)
    verdict = NO_DIFFERENCE
    if found.p_value <= level:
        verdict = BETTER if (found.mean < 0) == is_lower else WORSE
    return {
        "name": pair.name,
        "minus": pair.other_name,
        "is_twin": pair.is_twin,
        "task": pair.task,
        "metric": metric,
        "lower_is_better": is_lower,
        "seeds": num_seeds,
        "difference": found.mean,
        "low": interval.low,
        "high": interval.high,
        "confidence": interval.confidence,
        "p_value": found.p_value,
        "verdict": verdict,
    }


def _common_seeds(pair: Pair) -> list[tuple[Run, Run]]:
    """Runs of both by the same seed; where both have one alone, by whichever."""
    others = {run.config.training.seed: run for run in pair.others}
    common = [
        (run, others[run.config.training.seed])
        for run in pair.runs
        if run.config.training.seed in others
    ]
    if not common and len(pair.runs) == len(pair.others) == 1:
        return [(pair.runs[0], pair.others[0])]
    return common


def _of(pair: Pair, runs: Sequence[tuple[Run, Run]]) -> Iterator[tuple[str, Difference | None]]:
    """Metrics of the task, and the difference."""
    rows = runs[0][0].per_row
    if pair.task in rows["label"].unique().to_list():
        yield from _of_label(pair, runs)
        return
    columns = runs[0][0].per_user.columns
    for protocol, metric, cutoff in _RANKED_BY:
        key = nearest(columns, protocol, metric, cutoff)
        if key is not None and key in runs[0][1].per_user.columns:
            a, b = _by_user(pair, runs, key)
            yield key, ratio_difference(a, b, np.ones(a.shape[1]))


def _by_user(
    pair: Pair, runs: Sequence[tuple[Run, Run]], key: str
) -> tuple[np.ndarray, np.ndarray]:
    """Values [S, U] of both, of the same users."""
    users = runs[0][0].per_user["user"]
    for run in (each for both in runs for each in both):
        if not run.per_user["user"].equals(users):
            raise _unpaired(pair, run)
    a, b = (np.stack([both[side].per_user[key].to_numpy() for both in runs]) for side in (0, 1))
    return a.astype(np.float64), b.astype(np.float64)


def _of_label(
    pair: Pair, runs: Sequence[tuple[Run, Run]]
) -> Iterator[tuple[str, Difference | None]]:
    frames = [[_rows(run, pair.task) for run in both] for both in runs]
    first = frames[0][0]
    for run, frame in zip(
        (each for both in runs for each in both), (f for both in frames for f in both), strict=True
    ):
        if not frame.select("user", "target").equals(first.select("user", "target")):
            raise _unpaired(pair, run)
    targets = first["target"].to_numpy()
    users = np.unique(first["user"].to_numpy(), return_inverse=True)[1]
    a, b = (np.stack([both[side]["prediction"].to_numpy() for both in frames]) for side in (0, 1))
    if runs[0][0].config.tasks[pair.task].name == "rating":
        errors = [np.square(each.astype(np.float64) - targets) for each in (a, b)]
        yield f"{pair.task}/{_RMSE}", _ratios(errors, users, np.sqrt)
        return
    found = auc_differences(targets, a, b, users)
    yield (
        f"{pair.task}/auc",
        None if found is None else difference(*found, int(users.max()) + 1),
    )
    losses = [np.stack([labels.log_losses(targets, each) for each in side]) for side in (a, b)]
    yield f"{pair.task}/log_loss", _ratios(losses, users, np.asarray)


def _ratios(values: Sequence[np.ndarray], users: np.ndarray, transform: Any) -> Difference | None:
    """values: of both, by row [S, N]; users: 0, 1, ... [N]."""
    sums = [np.stack([np.bincount(users, row) for row in side]) for side in values]
    return ratio_difference(*sums, np.bincount(users).astype(np.float64), transform)


def _rows(run: Run, label: str) -> Any:
    import polars as pl

    return run.per_row.filter(pl.col("label") == label)


def _unpaired(pair: Pair, run: Run) -> RunError:
    return RunError(
        f"{run.folder} was not tested on the same rows as {pair.runs[0].folder}, though their data "
        "and split have the same settings: train both with one version of this library."
    )
