"""What a person sees of a run: what the data is, a bar with every task's loss, and a table."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bars
from rich.table import Table

from multitask_recommender.config import Config
from multitask_recommender.schema import TOTAL_LOSS
from multitask_recommender.splits import Splits

# The columns of the table, where they were computed; metrics.json holds all. Title: flat key.
_RANKING = {
    "full\ntop-100": "full/top_100_categorical_accuracy",
    "full\nrecall@20": "full/recall@20",
    "full\nndcg@20": "full/ndcg@20",
    "full\ncoverage@20": "full/coverage@20",
    "sampled\nhit@10": "sampled/hit_rate@10",
    "sampled\nndcg@10": "sampled/ndcg@10",
    "unfiltered\ntop-100": "unfiltered/factorized_top_k/top_100_categorical_accuracy",
}
_LABELS = {"root_mean_squared_error": "RMSE", "auc": "AUC"}
_NOT_COMPUTED = "-"
_EXPLAINED = {
    "full": "full: all items but those the user has seen, ties count against the model",
    "sampled": "sampled: against a few items drawn for each row",
    "unfiltered": "unfiltered: as in the TFRS tutorials, seen items are candidates too",
}

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
    _warn(train.source.warnings)


class Progress:
    """A bar for each phase of training, with the losses of its tasks and what validation says."""

    def __init__(self) -> None:
        self._bars: Bars | None = None

    def start(self, phase: str, done: int, epochs: int, steps_per_epoch: int) -> None:
        self._bars = Bars(
            TextColumn("{task.description:6}"),
            BarColumn(bar_width=10),
            TextColumn("{task.fields[epoch]:>2}/{task.fields[epochs]}"),
            TextColumn("{task.elapsed:3.0f} s"),
            TextColumn("{task.fields[told]}"),
            console=console,
        )
        self._bars.start()
        self._task = self._bars.add_task(
            phase,
            total=epochs * steps_per_epoch,
            completed=done,
            epoch=done // steps_per_epoch,
            epochs=epochs,
            told="",
        )

    def advance(self, steps: int) -> None:
        self._bars.advance(self._task, steps)

    def tell(self, epoch: int, losses: Mapping[str, float], best: float | None, of: str) -> None:
        """An epoch's mean losses, and the best value so far of the validation metric `of`."""
        parts = [f"{name} {loss:.3g}" for name, loss in losses.items() if name != TOTAL_LOSS]
        if best is not None:
            parts.append(f"{of.rpartition('/')[2]} {best:.4f}")
        self._bars.update(self._task, epoch=epoch, told=" ".join(parts))

    def finish(self) -> None:
        self._bars.stop()


def show_results(results: Mapping[str, Any], run_dir: pathlib.Path) -> None:
    """The model beside what it must be compared with, on the test part."""
    dataset = results["dataset"]
    columns = _columns(results["metrics"])
    title = f"test, {dataset['name']}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 0))
    # In a narrow terminal titles go over several lines; numbers are never cut.
    table.add_column("", no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", overflow="fold", min_width=len("0.0000"))
    rows = {"model": results["metrics"], **results["baselines"]}
    for name, metrics in rows.items():
        cells = [_shown(metrics.get(key)) for key in columns.values()]
        table.add_row(name, *cells, style="bold" if name == "model" else None)
    console.print(table)
    _warn(dataset["warnings"])
    for protocol, explained in _EXPLAINED.items():
        if any(key.startswith(f"test/{protocol}/") for key in columns.values()):
            console.print(explained, highlight=False)
    path = escape(str(run_dir / "metrics.json"))
    console.print(f"Every metric, with its protocol: {path}", highlight=False)


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        console.print(f"[bold yellow]WARNING[/] {escape(warning)}", highlight=False)


def _columns(metrics: Mapping[str, float]) -> dict[str, str]:
    """Flat keys by column title."""
    columns = {title: f"test/{key}" for title, key in _RANKING.items() if f"test/{key}" in metrics}
    for key in metrics:
        label, _, metric = key.removeprefix("test/").rpartition("/")
        if key.startswith("test/") and metric in _LABELS:
            columns[f"{label}\n{_LABELS[metric]}"] = key
    return columns


def _shown(value: float | None) -> str:
    return _NOT_COMPUTED if value is None else f"{value:.4f}"
