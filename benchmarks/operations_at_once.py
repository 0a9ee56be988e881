"""What it costs that one operation runs at a time: `python benchmarks/operations_at_once.py`.

An epoch of made-up rows by several models, by TensorFlow's own number of operations at once (one
for each core) and by one; operations divide their own work among all cores either way. Each of
both is a process, and they take turns. Seconds of the clock and of the processor, and the ratio of
one operation at a time to several (below 1: one is faster).
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from _steps import begun
from _timing import ROOT, alternate, console, record, show

ROWS = {"name": "synthetic", "users": 2_000, "items": 3_000, "rows": 60_000}
TASKS = {"retrieval": {"negatives": "in_batch"}, "like": {}, "rating": {}}
RECIPES: dict[str, dict[str, Any]] = {
    "two_tower, shared bottom": {"model": "two_tower", "sharing": "shared_bottom"},
    "two_tower, PLE, PCGrad": {"model": "two_tower", "sharing": "ple", "weighting": "pcgrad"},
    "gru4rec, MMoE": {"model": "gru4rec", "sharing": "mmoe"},
    "lightgcn, shared bottom": {"model": "lightgcn", "sharing": "shared_bottom"},
    "dcn, MMoE": {"model": "dcn", "sharing": "mmoe", "tasks": {"like": {}, "rating": {}}},
}
SEVERAL, ONE = "0", "1"  # of TF_NUM_INTEROP_THREADS; 0: as many as cores


def work(name: str) -> None:
    """An epoch for each line that is read; then a line with the processor's seconds so far."""
    from multitask_recommender.config import parse
    from multitask_recommender.experiment import Experiment

    training = {"batch_size": 4096, "optimizer": "lazy_adam", "learning_rate": 0.01}
    values = {"dataset": ROWS, "tasks": TASKS, "training": training, **RECIPES[name]}
    experiment = Experiment(parse(values))
    with begun(experiment.config, experiment.data.train) as training:
        epochs = training.epochs(10**6, lambda steps: None)
        for _ in sys.stdin:
            next(epochs)
            print(sum(os.times()[:2]), flush=True)


@contextlib.contextmanager
def started(name: str, threads: str) -> Iterator[Any]:
    """Makes an epoch in a process of its own when called: the processor's seconds it took."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--work", name],
        env=os.environ | {"TF_NUM_INTEROP_THREADS": threads, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    taken: list[float] = [0.0]

    def epoch() -> None:
        process.stdin.write("\n")
        process.stdin.flush()
        taken.append(float(process.stdout.readline()))

    epoch.taken = taken
    try:
        yield epoch
    finally:
        process.communicate()


def ratios(name: str, rounds: int) -> Mapping[str, float]:
    """Of a recipe: seconds of the clock by one operation at a time and by several, and ratios."""
    with started(name, SEVERAL) as several, started(name, ONE) as one:
        times = alternate({SEVERAL: several, ONE: one}, rounds)
        spent = [
            statistics.median(
                after - before
                for before, after in zip(each.taken[1:], each.taken[2:], strict=False)
            )
            for each in (several, one)
        ]
    return {
        "milliseconds": 1000 * times.median(SEVERAL),
        "by the clock": times.ratio(ONE, SEVERAL),
        "of the processor": spent[1] / spent[0],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="epochs of each")
    parser.add_argument("--work", choices=RECIPES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        return work(arguments.work)
    rows = []
    for name in RECIPES:
        found = ratios(name, arguments.rounds)
        record(f"operations_at_once/{name}", found["by the clock"])
        rows.append([name, f"{found['milliseconds']:.0f}"])
        rows[-1] += [f"{found[key]:.2f}" for key in ("by the clock", "of the processor")]
        console.print(*rows[-1])
    columns = ["", "ms an epoch, several", "one: x by the clock", "x of the processor"]
    show("One operation at a time, beside several", columns, rows)


if __name__ == "__main__":
    main()
