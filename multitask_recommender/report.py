"""What a person sees of a run: what the data is, a bar with every task's loss, and a table."""

import pathlib
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table

from multitask_recommender.config import Config
from multitask_recommender.schema import TOTAL_LOSS
from multitask_recommender.splits import Splits

# The columns of the table, where they were computed; metrics.json holds all.
_HEADLINES = {
    "top-100": "full/top_100_categorical_accuracy",
    "recall@20": "full/recall@20",
    "ndcg@20": "full/ndcg@20",
    "sampled hit@10": "sampled/hit_rate@10",
    "coverage@20": "full/coverage@20",
    "top-100 unfiltered": "unfiltered/factorized_top_k/top_100_categorical_accuracy",
}
_LABEL_HEADLINES = ("root_mean_squared_error", "auc")
_NOT_COMPUTED = "-"

console = Console()


def show_data(data: Splits, config: Config) -> None:
    """One line of what is learnt from, and every warning."""
    train, name = data.train, escape(data.train.source.name)
    rows = ", ".join(f"{part} {count['rows']:,}" for part, count in data.counts().items())
    console.print(
        f"[bold]{name}[/]: {train.num_users:,} users, {train.num_items:,} items; "
        f"rows by {config.split.name} split: {rows}",
        highlight=False,
    )
    for warning in train.source.warnings:
        console.print(f"[bold yellow]WARNING[/] {escape(warning)}", highlight=False)


class Progress:
    """A bar for each phase of training, with the losses of its tasks and what validation says."""

    def __init__(self) -> None:
        self._bars: Bars | None = None

    def start(self, phase: str, done: int, steps: int) -> None:
        self._bars = Bars(
            TextColumn("{task.description:6}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            TextColumn("{task.fields[told]}"),
            console=console,
        )
        self._bars.start()
        self._task = self._bars.add_task(phase, total=steps, completed=done, told="")

    def advance(self, steps: int) -> None:
        self._bars.advance(self._task, steps)

    def tell(self, epoch: int, losses: Mapping[str, float], stopping: Any) -> None:
        parts = [f"{name} {loss:.4f}" for name, loss in losses.items() if name != TOTAL_LOSS]
        if stopping.best is not None:
            metric = stopping.metric.partition("/")[2]
            parts.append(f"best {metric} {stopping.best:.4f} in epoch {stopping.best_epoch}")
        self._bars.update(self._task, told="  ".join(parts))

    def finish(self) -> None:
        self._bars.stop()


def show_results(results: Mapping[str, Any], run_dir: pathlib.Path) -> None:
    """The model beside what it must be compared with, on the test part."""
    columns = _columns(results["metrics"])
    table = Table(title="test", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    # In a narrow terminal titles go over several lines; numbers are never cut.
    table.add_column("", no_wrap=True)
    for title in columns:
        table.add_column(title, justify="right", overflow="fold", min_width=len("0.0000"))
    rows = {"model": results["metrics"], **results["baselines"]}
    for name, metrics in rows.items():
        cells = [_shown(metrics.get(key)) for key in columns.values()]
        table.add_row(name, *cells, style="bold" if name == "model" else None)
    console.print(table)
    for warning in results["dataset"]["warnings"]:
        console.print(f"[bold yellow]WARNING[/] {escape(warning)}", highlight=False)
    console.print(
        "full: all items but those seen, ties against the model; unfiltered: seen items too.\n"
        f"Every metric, with its protocol: {escape(str(run_dir / 'metrics.json'))}",
        highlight=False,
    )


def _columns(metrics: Mapping[str, float]) -> dict[str, str]:
    """Flat keys by column title."""
    columns = {
        title: f"test/{key}" for title, key in _HEADLINES.items() if f"test/{key}" in metrics
    }
    for key in metrics:
        part, _, metric = key.rpartition("/")
        if part.startswith("test/") and metric in _LABEL_HEADLINES:
            label = part.removeprefix("test/")
            columns[f"{label} {metric.replace('root_mean_squared_error', 'RMSE')}"] = key
    return columns


def _shown(value: float | None) -> str:
    return _NOT_COMPUTED if value is None else f"{value:.4f}"
