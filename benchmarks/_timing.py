"""Contenders timed side by side, and tables of them.

The machine may be busy: contenders take turns, round after round, and a ratio is the median of the
rounds' own ratios, so that what disturbs one disturbs its neighbours too.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console
from rich.table import Table

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that a benchmark runs from a checkout, from anywhere

console = Console()


class Times:
    """Seconds of each contender, by round."""

    def __init__(self, seconds: Mapping[str, Sequence[float]]) -> None:
        self._seconds = seconds

    def median(self, name: str) -> float:
        return statistics.median(self._seconds[name])

    def ratio(self, name: str, to: str) -> float:
        """How many times as long as `to` the contender takes."""
        pairs = zip(self._seconds[name], self._seconds[to], strict=True)
        return statistics.median(one / other for one, other in pairs)

    def record(self, benchmark: str, to: str) -> None:
        """Appends each contender's ratio to one of them to runs/ratios.jsonl."""
        for name in self._seconds:
            if name != to:
                record(f"{benchmark}/{name}", self.ratio(name, to), to=to)


def alternate(
    contenders: Mapping[str, Callable[[], object]],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> Times:
    """Runs each contender once to warm up, then all in turn, `rounds` times.

    clock: `time.process_time`, on one core, counts no second that other work takes away.
    """
    for run in contenders.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            started = clock()
            run()
            seconds[name].append(clock() - started)
    return Times(seconds)


def record(benchmark: str, ratio: float, commit: str | None = None, **more: object) -> None:
    """Appends a ratio to runs/ratios.jsonl, with its commit and the machine's load."""
    if commit is None:
        command = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
        commit = subprocess.run(command, capture_output=True, text=True).stdout.strip() or None
    line = {"commit": commit, "benchmark": benchmark, "ratio": round(ratio, 4), **more}
    path = ROOT / "runs" / "ratios.jsonl"
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps({**line, "load": round(os.getloadavg()[0], 1)}) + "\n")


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table; its first column holds names."""
    table = Table(title=title, title_justify="left")
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left")
    for row in rows:
        table.add_row(*row)
    console.print(table)
