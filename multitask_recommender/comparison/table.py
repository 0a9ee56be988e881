"""What a person sees of a comparison in the terminal."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape

from multitask_recommender import report
from multitask_recommender.comparison.differences import MARKS
from multitask_recommender.comparison.plan import Plan, Refused
from multitask_recommender.comparison.workers import Done


def show_plan(
    plan: Plan, num_cells: int, num_left: int, refused: Sequence[Refused], folder: pathlib.Path
) -> None:
    if num_cells:
        done = f", {num_cells - num_left} of them done" if num_left < num_cells else ""
        report.say(f"{plan.name}: {num_cells} runs{done}")
        report.console.print(
            escape(f"They go to {folder}: the same command with --out {folder} goes on with them."),
            highlight=False,
        )
    report.warn([f"refused: {named(each.setting, each.task)}: {each.reason}" for each in refused])


def show_progress(done: Done, number: int, total: int, seconds_left: float) -> None:
    """A line for each run that ended."""
    ended = "FAILED after" if done.error else "done in"
    left = f"; about {_minutes(seconds_left)} left" if number < total else ""
    report.console.print(
        escape(f"[{number}/{total}] {done.job.name} {ended} {done.seconds:.0f} s{left}"),
        highlight=False,
    )
    report.warn([f"{done.job.name}: {line}" for line in done.error.splitlines()])


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def named(setting: Mapping[str, str], task: str | None = None) -> str:
    """`lightgcn x mmoe`, and of a twin `lightgcn, like alone`."""
    labels = " x ".join(setting.values())
    return labels if task is None else f"{labels}, {task} alone"


def show(board: Mapping[str, Any]) -> None:
    """Every group: entries, the best first, then differences. `board`: see leaderboard.py."""
    for number, group in enumerate(board["groups"], start=1):
        if len(board["groups"]) > 1:
            report.say(
                f"Group {number} of {len(board['groups'])}: data, split or protocol differ from "
                "those of the others, so that figures do not compare."
            )
        _show_entries(group)
        _show_differences(group)
        flags = [f"{entry['name']} {flag}" for entry in group["entries"] for flag in entry["flags"]]
        report.warn([*group["dataset"]["warnings"], *flags])
    for note in board["notes"]:
        report.console.print(f"note: {escape(note)}", highlight=False)
    report.warn([f"{name} failed: {error}" for name, error in board["failed"].items()])


def _show_entries(group: Mapping[str, Any]) -> None:
    columns, entries = group["columns"], group["entries"]
    rows = {}
    for entry in entries:
        means = [entry["metrics"].get(key, {"mean": None})["mean"] for key in columns]
        rows[entry["name"]] = [report.shown(mean) for mean in means]
    for name, metrics in group["baselines"].items():
        rows[f"({name})"] = [report.shown(metrics.get(key)) for key in columns]
    about = f"{group['dataset']['name']}; {over_seeds(entries)}"
    titles = [_title(title) for title in columns.values()]
    report.show_table(escape(f"test, {about}"), titles, rows, bold="")
    costs = {entry["name"]: _cost(entry["cost"]) for entry in entries}
    report.show_table(escape(f"cost, {about}"), _COST, costs, bold="")


def over_seeds(entries: Sequence[Mapping[str, Any]], more: str = "") -> str:
    """What the figures of entries are; `more` is said of means."""
    numbers = [len(each["seeds"]) for each in entries]
    least, most = min(numbers), max(numbers)
    if most == 1:
        return "one seed"
    told = f"{most}" if least == most else f"{least} to {most}"
    return f"means over {told} seeds{more}"


_COST = ("training\ns", "peak\nMB", "parameters", "ms /\nuser")


def _title(key: str) -> str:
    names = {"root_mean_squared_error": "RMSE", "expected_calibration_error": "ECE", "auc": "AUC"}
    where, _, metric = key.rpartition("/")
    return f"{where}\n{names.get(metric, metric.replace('_', ' '))}"


def _cost(cost: Mapping[str, float | None]) -> list[str]:
    scoring = cost["milliseconds_per_user"]
    return [
        f"{cost['training_seconds']:.1f}",
        f"{cost['peak_memory_bytes'] / 2**20:.0f}",
        f"{cost['parameters']:,.0f}",
        report.shown(None) if scoring is None else f"{scoring:.3f}",
    ]


def _show_differences(group: Mapping[str, Any]) -> None:
    """From single-task twins, and from others."""
    twins = [each for each in group["differences"] if each["is_twin"]]
    others = [each for each in group["differences"] if not each["is_twin"]]
    if twins:
        _show_lines("minus the single-task twin", [(each["name"], each) for each in twins])
    if others:
        lines = [(f"{each['name']} - {each['minus']}", each) for each in others]
        _show_lines("differences", lines)
    if twins or others:
        report.say(
            "+ better, - worse; no mark: no difference found, the interval (by Holm for the number "
            "of comparisons) holds 0."
        )


def _show_lines(title: str, differences: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """A row a name, a column a metric."""
    metrics = list(dict.fromkeys(each["metric"] for _, each in differences))
    rows: dict[str, dict[str, str]] = {}
    for name, each in differences:
        reach = (each["high"] - each["low"]) / 2
        mark = MARKS.get(each["verdict"], " ")
        cell = f"{each['difference']:+.4f} {mark}\n±{reach:.4f}  "
        rows.setdefault(name, {})[each["metric"]] = cell
    report.show_table(
        title,
        list(map(_title, metrics)),
        {
            name: [cells.get(metric, report.shown(None)) for metric in metrics]
            for name, cells in rows.items()
        },
        bold="",
    )
