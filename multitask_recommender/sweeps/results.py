"""What a sweep found: its cells from the best to those that failed, as JSON and as CSV."""

import csv
import json
import pathlib
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from multitask_recommender import run_folder
from multitask_recommender.sweeps.trainer import COMPLETE, FAILED, PRUNED
from multitask_recommender.training.early_stopping import Monitor

Records = Sequence[Mapping[str, Any]]
_ORDER = (COMPLETE, PRUNED, FAILED)
_OF_A_RUN = ("epoch", "seconds", "parameters")  # told as their mean over the seeds


def rank(
    records: Records, monitor: Monitor, own: Mapping[str, Any], num_seeds: int
) -> list[dict[str, Any]]:
    """The cells of which there are records, the best first; one whose seeds all succeeded has a
    `value`, the mean over them.

    Numbers count cells from 1 in the order of their first record. own: settings of the recipe as it
    is, with which the others are compared. num_seeds: how many records make a cell.
    """
    by_settings: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        by_settings.setdefault(json.dumps(record["settings"]), []).append(record)
    cells = [
        _cell(number, runs[:num_seeds], own)
        for number, runs in enumerate(by_settings.values(), start=1)
    ]
    base = next((cell["value"] for cell in cells if cell["is_recipe"]), None)
    for cell in cells:
        if cell["state"] == COMPLETE and base is not None:
            cell["difference"] = cell["value"] - base
    sign = 1 if monitor.lower_is_better else -1
    return sorted(
        cells,
        key=lambda cell: (_ORDER.index(cell["state"]), sign * (cell["value"] or 0), cell["number"]),
    )


def best_of(records: Records, monitor: Monitor) -> Mapping[str, Any] | None:
    """The best training among records."""
    complete = [record for record in records if record["state"] == COMPLETE]
    pick = min if monitor.lower_is_better else max
    return pick(complete, key=lambda record: record["value"]) if complete else None


def _cell(number: int, runs: Records, own: Mapping[str, Any]) -> dict[str, Any]:
    states = [run["state"] for run in runs]
    state = max(states, key=_ORDER.index)  # the worst
    cell = {
        "number": number,
        "settings": runs[0]["settings"],
        "is_recipe": runs[0]["settings"] == own,
        "state": state,
        "value": None,
        "std": None,
        "difference": None,
    }
    if state != FAILED:
        values = [run["value"] for run in runs]
        cell["value"] = statistics.fmean(values)
        cell["std"] = statistics.stdev(values) if len(values) > 1 else None
    if state == COMPLETE:
        cell["metrics"] = _mean_metrics(runs)
    for name in _OF_A_RUN:
        known = [run[name] for run in runs if name in run]
        cell[name] = statistics.fmean(known) if known else None
    cell["runs"] = [{key: value for key, value in run.items() if key != "settings"} for run in runs]
    return cell


def _mean_metrics(runs: Records) -> dict[str, float]:
    """Of the metrics that every seed has."""
    common = [key for key in runs[0]["metrics"] if all(key in run["metrics"] for run in runs)]
    return {key: statistics.fmean(run["metrics"][key] for run in runs) for key in common}


def errors(cell: Mapping[str, Any]) -> str:
    """What went wrong, on one line: what is the same for several seeds once."""
    found = dict.fromkeys(run["error"] for run in cell["runs"] if "error" in run)
    return "; ".join(found).replace("\n", " ")


def write_csv(path: pathlib.Path, found: Mapping[str, Any]) -> None:
    """A row a cell: the data, its settings, how it did, and every metric of validation."""
    rows = [{"data": found["dataset"]["name"], **_row(cell)} for cell in found["cells"]]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with run_folder.aside(path) as unfinished, open(unfinished, "w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def _row(cell: Mapping[str, Any]) -> dict[str, Any]:
    texts = {key: shown_setting(value) for key, value in cell["settings"].items()}
    told = ("is_recipe", "state", "value", "std", "difference", *_OF_A_RUN)
    return {
        "cell": cell["number"],
        **texts,
        **{name: cell[name] for name in told},
        "error": errors(cell),
        **cell.get("metrics", {}),
    }


def shown_setting(value: Any) -> str:
    """As it would be written after `key=`."""
    return value if isinstance(value, str) else json.dumps(value)
