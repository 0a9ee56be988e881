"""What a person sees of a run: what the data is, a bar with every task's loss, and a table."""

import contextlib
import datetime
import functools
import pathlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from multitask_recommender.config import Config
from multitask_recommender.schema import FOLD_IN, TOTAL_LOSS
from multitask_recommender.splits import Splits
from multitask_recommender.splits.coverage import Rates, unknown_rates
from multitask_recommender.traps import Trap

# The columns of the table, where they were computed; metrics.json holds all. Title: flat key.
_RANKING = {  # the cut-off that was computed nearest to the last number is taken
    ("full", "top-{}"): ("full/top_{}_categorical_accuracy", 100),
    ("full", "recall@{}"): ("full/recall@{}", 20),
    ("full", "ndcg@{}"): ("full/ndcg@{}", 20),
    ("full", "coverage@{}"): ("full/coverage@{}", 20),
    ("sampled", "hit@{}"): ("sampled/hit_rate@{}", 10),
    ("sampled", "ndcg@{}"): ("sampled/ndcg@{}", 10),
    ("unfiltered", "top-{}"): (
        "unfiltered/factorized_top_k/top_{}_categorical_accuracy",
        100,
    ),
}
_SESSIONS = {  # what papers on sessions report, where users are told of by fold-in rows
    ("unfiltered", "hit@{}"): ("unfiltered/hit_rate@{}", 20),
    ("unfiltered", "mrr@{}"): ("unfiltered/mrr@{}", 20),
}
_LABELS = {"root_mean_squared_error": "RMSE", "auc": "AUC"}
_BINARY = {  # of the second table: a row a label, so that any number of labels can be read
    "AUC": "auc",
    "GAUC": "gauc",
    "PR-AUC": "average_precision",
    "log loss": "log_loss",
    "norm.\nentropy": "normalised_entropy",
    "ECE": "expected_calibration_error",
    "accuracy": "accuracy",
}
_NOT_COMPUTED = "-"
_LONG_NAME = 20  # letters of the name of a row, above which it may go over several lines
_NUMBER = len("0.0000")
_WIDEST = 10_000  # columns, that any table fits into
_EXPLAINED = {
    "full": "full: all items but those the user has seen, ties count against the model",
    "sampled": "sampled: {candidates}",
    "unfiltered": "unfiltered: as in the TFRS tutorials, seen items are candidates too",
}

console = Console()


def show_data(data: Splits, config: Config, traps: Sequence[Trap] = ()) -> None:
    """What is learnt from, every warning, and every trap."""
    train = data.train
    rows = ", ".join(f"{part} {count['rows']:,}" for part, count in data.counts().items())
    name = escape(train.source.name)
    console.print(f"[bold]{name}[/]: {train.num_users:,} users, {train.num_items:,} items")
    console.print(f"{config.split.name} split: {rows} rows", highlight=False)
    for note in data.notes:
        console.print(escape(note), highlight=False)
    _show_unknown(unknown_rates(data, config.model.settings.inputs_read()))
    warn(train.source.warnings)
    warn([f"{trap.name}: {trap.sentence}" for trap in traps if trap.severity != "note"])
    for trap in traps:
        if trap.severity == "note":
            console.print(f"note: {escape(trap.sentence)}", highlight=False)


def _show_unknown(rates: Mapping[str, Rates]) -> None:
    """A line of the ids and features that are unknown in some rows, where there are any."""
    told = [
        f"{name} " + "/".join(f"{100 * rate:.3g}" for rate in by_part.values())
        for name, by_part in rates.items()
        if any(by_part.values())
    ]
    if told:
        parts = "/".join(next(iter(rates.values())))
        console.print(
            escape(f"unknown or missing, % of rows of {parts}: {', '.join(told)}"), highlight=False
        )


class _Time(ProgressColumn):
    """How long a phase still takes, as far as that is known; once it is over, how long it took."""

    def render(self, task: Task) -> Text:
        if task.finished or task.time_remaining is None:
            return Text(f"{task.elapsed or 0:3.0f} s")
        return Text(f"{datetime.timedelta(seconds=round(task.time_remaining))} left")


class Progress:
    """A bar for each phase of training, with the losses of its tasks and what validation says."""

    def __init__(self) -> None:
        self._bars: Bars | None = None

    def start(self, phase: str, done: int, epochs: int, steps_per_epoch: int) -> None:
        self._bars = Bars(
            TextColumn("{task.description:6}"),
            BarColumn(bar_width=10),
            TextColumn("{task.fields[epoch]:>2}/{task.fields[epochs]}"),
            _Time(),
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

    def tell(self, epoch: int, losses: Mapping[str, float], value: float | None, of: str) -> None:
        """An epoch's mean losses, and the last value of the validation metric `of`."""
        parts = [f"{name} {loss:.3g}" for name, loss in losses.items() if name != TOTAL_LOSS]
        if value is not None:
            parts.append(f"{of.rpartition('/')[2]} {value:.4f}")
        self._bars.update(self._task, epoch=epoch, told=" ".join(parts))

    def finish(self) -> None:
        self._bars.stop()


def show_results(results: Mapping[str, Any], written: Sequence[pathlib.Path]) -> None:
    """The model beside what it must be compared with, on the test part; and what was written."""
    dataset = results["dataset"]
    ranking = _RANKING | (_SESSIONS if FOLD_IN in results["protocol"] else {})
    columns = _columns(results["metrics"], ranking)
    if not columns:
        warn(["nothing was computed: there is no test row, or never more than one candidate."])
    rows = {"model": results["metrics"], **results["baselines"]}
    cells = {
        name: [shown(metrics.get(key)) for key in columns.values()]
        for name, metrics in rows.items()
    }
    show_table(f"test, {dataset['name']}", list(columns), cells)
    binary = _binary_labels(results["metrics"])
    if binary:
        show_table("binary labels of the model", list(_BINARY), binary)
    warn(dataset["warnings"])
    for protocol, explained in _EXPLAINED.items():
        record = results["protocol"].get(protocol, {})
        if any(key.startswith(f"test/{protocol}/") for key in columns.values()):
            console.print(explained.format_map(record), highlight=False)
        if record.get("rows") and record["cutoffs_left_out"]:
            cutoffs = ", ".join(map(str, record["cutoffs_left_out"]))
            console.print(f"{protocol}: nobody has more candidates than {cutoffs}: not computed")
    show_written(written)


def show_written(paths: Sequence[pathlib.Path]) -> None:
    for path in paths:
        console.print(f"Written: {escape(str(path))}", highlight=False)


def show_table(
    title: str, columns: Sequence[str], rows: Mapping[str, Sequence[str]], bold: str = "model"
) -> None:
    """Rows of cells by name, of which one is bold."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 0))
    # In a narrow terminal titles and long names go over several lines; numbers are never cut.
    longest = max(map(len, rows), default=0)
    is_long = longest > _LONG_NAME
    table.add_column("", no_wrap=not is_long, min_width=_LONG_NAME if is_long else None)
    for column in columns:
        table.add_column(column, justify="right", overflow="fold", min_width=_NUMBER)
    for name, cells in rows.items():
        table.add_row(escape(name), *cells, style="bold" if name == bold else None)
    least = 2 + min(longest, _LONG_NAME) + (1 + _NUMBER) * len(columns)  # with its edges
    words = Measurement.get(console, console.options.update(width=_WIDEST), table)
    if least > console.width:  # rather a line that is too long than a number without its end
        table.width = words.minimum
    elif is_long and words.maximum > console.width:
        # Told, as rich gives back what it takes of a column below its least width, and cuts lines.
        table.columns[0].width = max(_LONG_NAME, longest - (words.maximum - console.width))
    console.print(table, soft_wrap=least > console.width)


def _binary_labels(metrics: Mapping[str, float]) -> dict[str, list[str]]:
    """The cells of each binary label, by its name."""
    pattern = re.compile(rf"test/(.+)/{_BINARY['log loss']}")
    labels = [match[1] for match in map(pattern.fullmatch, metrics) if match]
    return {
        label: [shown(metrics.get(f"test/{label}/{name}")) for name in _BINARY.values()]
        for label in labels
    }


@contextlib.contextmanager
def working(at: str) -> Iterator[None]:
    """Says what is being done and for how long while it lasts, in a terminal alone."""
    columns = SpinnerColumn(), TextColumn(escape(at)), TimeElapsedColumn()
    with Bars(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        bars.add_task(at, total=None)
        yield


@contextlib.contextmanager
def measuring(what: str, unit: str, total: int) -> Iterator[Callable[[int], None]]:
    """As `counting`, with what is done to the parts; in a terminal alone, while it lasts."""
    told = TextColumn(escape(what)), BarColumn(bar_width=10), MofNCompleteColumn()
    columns = *told, TextColumn(unit), TimeRemainingColumn()
    with Bars(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        yield functools.partial(bars.advance, bars.add_task(what, total=total))


@contextlib.contextmanager
def counting(unit: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar for what is done a part at a time: call what is yielded with the size of each part."""
    columns = BarColumn(bar_width=10), MofNCompleteColumn(), TextColumn(unit), TimeRemainingColumn()
    with Bars(*columns, console=console) as bars:
        task = bars.add_task(unit, total=total)
        yield functools.partial(bars.advance, task)


def say(sentence: str) -> None:
    console.print(sentence, highlight=False)


def warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        console.print(f"[bold yellow]WARNING[/] {escape(warning)}", highlight=False)


def headline(metrics: Mapping[str, float]) -> dict[str, str]:
    """The flat keys of the first table of results, by the titles of its columns."""
    return _columns(metrics, _RANKING)


def _columns(
    metrics: Mapping[str, float], ranking: Mapping[tuple[str, str], tuple[str, int]]
) -> dict[str, str]:
    """Flat keys by column title."""
    columns = {}
    for (protocol, title), (pattern, wanted) in ranking.items():
        form = re.escape(f"test/{pattern}").replace(r"\{\}", r"(\d+)")
        found = [match for match in (re.fullmatch(form, key) for key in metrics) if match]
        if found:
            nearest = min(found, key=lambda match: abs(int(match[1]) - wanted))
            columns[f"{protocol}\n{title.format(nearest[1])}"] = nearest[0]
    for key in metrics:
        label, _, metric = key.removeprefix("test/").rpartition("/")
        if key.startswith("test/") and metric in _LABELS:
            columns[f"{label}\n{_LABELS[metric]}"] = key
    return columns


def shown(value: float | None) -> str:
    return _NOT_COMPUTED if value is None else f"{value:.4f}"
