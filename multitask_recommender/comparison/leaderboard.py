"""What was found, as one mapping of JSON: a pure function of the plan and of the runs' files.

The same runs give the same bytes. It holds the checksums of the files that it was made of, and a
seal over itself: what was changed since is found, and said.
"""

import hashlib
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from multitask_recommender import run_folder
from multitask_recommender.comparison import departures, differences, evidence, groups
from multitask_recommender.comparison.differences import LEVEL, Pair, less_is_better, nearest
from multitask_recommender.comparison.entries import Entry
from multitask_recommender.comparison.finished import Run
from multitask_recommender.errors import RunError

CHECKSUMS, SEAL = "checksums", "seal"
_DIGITS = 8  # significant ones: what lies beyond depends on the order of sums
_SAMENESS = 0.9  # of popularity's overlap, from which a model counts as recommending alike to all
_METHOD = (
    "Differences are paired by user and by seed. Errors: a bootstrap over users (2,000 draws) of "
    "the mean over seeds, for AUC Obuchowski's variance with users as units; and the seeds' own "
    f"deviation. Intervals by Student's t, corrected by Holm over all comparisons of a group at "
    f"{LEVEL:g}: one that holds 0 is no difference found. They tell of users and seeds, not of "
    "other splits or datasets."
)


def build(
    heading: Mapping[str, Any],
    entries: Sequence[Entry],
    baselines: Sequence[Mapping[str, Any]],
    refused: Sequence[Mapping[str, Any]],
    failed: Mapping[str, str],
) -> dict[str, Any]:
    """heading: name and notes. baselines: those fitted for all cells, with their protocol."""
    runs = [run for entry in entries for run in entry.runs]
    board = {
        **heading,
        "method": _METHOD,
        "groups": [_group(each, entries, baselines) for each in groups.group(runs)],
        "refused": list(refused),
        "failed": dict(failed),
        CHECKSUMS: {run.name: run.checksums for run in runs},
    }
    board = _rounded(board)
    return {**board, SEAL: _seal(board)}


def text(board: Mapping[str, Any]) -> str:
    return json.dumps(board, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def check_untampered(path: pathlib.Path, runs: pathlib.Path) -> None:
    """Raises RunError where a leaderboard that is there, or a run that it was made of, was changed.

    runs: the folder of those that are not told by their own path.
    """
    if not path.exists():
        return
    try:
        board = json.loads(path.read_text())
        seal = board.pop(SEAL)
    except (ValueError, KeyError, AttributeError) as error:
        raise RunError(f"{path} is damaged ({error!r}): remove it to have it made anew.") from error
    if seal != _seal(board):
        raise RunError(
            f"{path} was changed after it was written: its seal does not fit. Remove it to have it "
            "made anew from the runs."
        )
    for name, expected in board[CHECKSUMS].items():
        folder = runs / name  # a path of its own stays what it is
        if folder.exists() and run_folder.check_untampered(folder) != expected:
            raise RunError(
                f"{folder} is not the run that {path} was made of: it was changed, or trained "
                f"again. Remove {path} to have it made anew."
            )


def _group(
    group: groups.Group, entries: Sequence[Entry], baselines: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    names = {run.name for run in group.runs}
    within = [each for entry in entries if (each := entry.restricted(names)).runs]
    told = [_entry(entry) for entry in within]
    columns = _columns(told)
    key = next(iter(columns), "")
    sign = 1 if less_is_better(key) else -1
    order = sorted(
        told,
        key=lambda each: (
            key not in each["metrics"],
            sign * each["metrics"].get(key, {"mean": 0.0})["mean"],
        ),
    )
    return {
        "dataset": {**group.dataset, "warnings": list(group.warnings)},
        "protocol": group.protocol,
        "columns": columns,
        "axes": _axes(within),
        "entries": order,
        "baselines": _baselines(group, columns, baselines),
        "differences": differences.compare(_pairs(within)),
    }


def _entry(entry: Entry) -> dict[str, Any]:
    runs = entry.runs
    keys = [key for key in runs[0].metrics if all(key in run.metrics for run in runs)]
    return {
        "name": entry.name,
        "setting": dict(entry.setting),
        "task": entry.task,
        "tasks": {
            name: {"kind": task.name, "weight": getattr(task.settings, "weight", 1.0)}
            for name, task in runs[0].config.tasks.items()
        },
        "seeds": [run.config.training.seed for run in runs],
        "runs": [run.name for run in runs],
        "metrics": {
            key: _moments([run.metrics[key] for run in runs])
            for key in keys
            if key.startswith("test/")
        },
        "cost": _cost(runs),
        "epochs": [run.results["training"]["epoch"] for run in runs],
        "flags": _flags(runs),
        "departures": departures.of(runs[0].config),
        "exports": {run.name: run.export for run in runs if run.export is not None},
        **evidence.of(runs),
    }


def _axes(entries: Sequence[Entry]) -> dict[str, list[str]]:
    """The labels of each axis, in the order of the plan."""
    found: dict[str, dict[str, None]] = {}
    for entry in entries:
        for axis, label in entry.setting.items():
            found.setdefault(axis, {})[label] = None
    return {axis: list(labels) for axis, labels in found.items()}


def _moments(values: Sequence[float]) -> dict[str, float | None]:
    std = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "std": std}


def _cost(runs: Sequence[Run]) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for name in runs[0].results["cost"]:
        values = [run.results["cost"][name] for run in runs]
        found[name] = None if None in values else float(np.mean(values))
    return found


def _flags(runs: Sequence[Run]) -> list[str]:
    """What a reader must know before the figures."""
    key = nearest([*runs[0].metrics], "full", "overlap", 20)
    if key is None:
        return []
    found = float(np.mean([run.metrics[key] for run in runs]))
    most = float(np.mean([run.results["baselines"]["popularity"][key] for run in runs]))
    if found < _SAMENESS * most:
        return []
    return [
        f"recommends nearly the same list to everyone: two users have {found:.0%} of a list in "
        f"common, with popularity {most:.0%}"
    ]


def _columns(entries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Flat keys by their titles: what the table shows."""
    keys = list(dict.fromkeys(key for entry in entries for key in entry["metrics"]))
    wanted = [
        *(("full", metric, cutoff) for metric, cutoff in (("ndcg", 10), ("recall", 20))),
        ("unfiltered", "hit_rate", 20),
        ("unfiltered", "mrr", 20),
        ("sampled", "ndcg", 10),
        ("full", "coverage", 20),
    ]
    found = [nearest(keys, *each) for each in wanted]
    columns = {key: key.removeprefix("test/") for key in found if key is not None}
    for name in ("auc", "expected_calibration_error", "root_mean_squared_error"):
        columns |= {key: key.removeprefix("test/") for key in keys if key.endswith(f"/{name}")}
    return columns


def _pairs(entries: Sequence[Entry]) -> list[Pair]:
    """Entries and those that they are held against, by task: twins among them, if there are."""
    by_name = {entry.name: entry for entry in entries}
    pairs = []
    for entry in entries:
        for task, names in entry.others.items():
            for other in (by_name[name] for name in names if name in by_name):
                tasks = other.runs[0].tasks
                if task in tasks:
                    is_twin = len(tasks) == 1 < len(entry.runs[0].tasks)
                    pair = Pair(entry.name, entry.runs, other.name, other.runs, task, is_twin)
                    pairs.append(pair)
    return pairs


def _baselines(
    group: groups.Group, columns: Mapping[str, str], more: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, float]]:
    """Of the runs themselves, and those fitted for all of them on the same protocols."""
    found: dict[str, dict[str, float]] = {}
    judged_alike = [results for results in more if group.takes(results)]
    for results in [*(run.results for run in group.runs), *judged_alike]:
        for name, metrics in results["baselines"].items():
            kept = {key: metrics[key] for key in columns if key in metrics}
            found[name] = kept | found.get(name, {})
    return found


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    if isinstance(value, Mapping):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return value


def _seal(board: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(board, sort_keys=True).encode()).hexdigest()
