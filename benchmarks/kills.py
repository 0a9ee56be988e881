"""Trainings killed at random moments: they end with the very numbers of one that was not.

    python benchmarks/kills.py --kills 50

Each training is a process that SIGKILL ends after a random time, until it has come to its end; the
same call begins it again. A refit, a search that keeps its best weights, and an export take turns.
Weights and metrics.json are compared exactly with those of an undisturbed run, but for what it
cost, history.csv but for its seconds. Processes are forked from one that has imported TensorFlow,
which is most of what a start costs.
"""

import argparse
import collections
import functools
import json
import logging
import multiprocessing
import pathlib
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

PRELOADED = ["multitask_recommender.runs", "multitask_recommender.training.fit"]
VALUES = {
    "dataset": {"name": "synthetic", "users": 60, "items": 90, "rows": 4_000},
    "split": {"validation": 0.2},
    "model": {
        "name": "two_tower",
        "embedding_dimension": 8,
        "user": ["id", "history"],
        "dropout": 0.2,
        "history_dropout": 0.2,
    },
    "sharing": {"name": "shared_bottom", "hidden_layers": [4], "dropout": 0.2},
    "training": {
        "epochs": 4,
        "batch_size": 8,
        "learning_rate": 0.01,
        "optimizer": "lazy_adam",
        "checkpoint_seconds": 0.2,
        "patience": 99,
    },
    "evaluation": {"protocols": ["full"]},
    "export": {"golden_requests": 2, "index": "brute_force"},
}
SCENARIOS: dict[str, list[str]] = {
    "refit": [],
    "keeps the best": ["training.refit=false"],
    "exports": ["training.epochs=2", "export.when_trained=true"],
}
SHORTER = 0.8  # the time in which a training is killed, after one that came to its end before
EXIT_KILLED = -9


def context() -> multiprocessing.context.ForkServerContext:
    """Starts processes that have imported TensorFlow."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(PRELOADED)
    return made


def train(values: Mapping[str, Any], overrides: list[str], run_dir: pathlib.Path) -> None:
    """What a process does."""
    from multitask_recommender import config, report, runs

    report.console.quiet = True
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    runs.train(config.parse(values, overrides), run_dir)


def differences(run_dir: pathlib.Path, other: pathlib.Path) -> list[str]:
    """What of two runs is not the same: weights, metrics, the history; but for what they took."""
    found = []
    if _results(run_dir) != _results(other):
        found.append("metrics.json")
    if _history(run_dir) != _history(other):
        found.append("history.csv")
    weights, others = weights_of(run_dir), weights_of(other)
    if weights.keys() != others.keys():
        found.append("names of weights")
    found += [name for name in weights if not np.array_equal(weights[name], others.get(name))]
    return found


def _results(run_dir: pathlib.Path) -> dict[str, Any]:
    return json.loads((run_dir / "metrics.json").read_text()) | {"cost": None}


def _history(run_dir: pathlib.Path) -> list[dict[str, str]]:
    from multitask_recommender import run_folder

    rows = run_folder.read_history(run_dir / run_folder.HISTORY)
    return [{**row, "seconds": ""} for row in rows]


def weights_of(run_dir: pathlib.Path) -> dict[str, np.ndarray]:
    """Of a finished run, by the names that its checkpoint gives them."""
    import tensorflow as tf

    reader = tf.train.load_checkpoint(str(run_dir / "checkpoints"))
    names = [name for name in reader.get_variable_to_shape_map() if name.startswith("weight_")]
    return {name: reader.get_tensor(name) for name in names}


def killed(start: Callable[[], Any], seconds: float) -> bool:
    """Whether a process was still at work when it was killed after some seconds.

    Raises RuntimeError where it failed by itself.
    """
    process = start()
    process.join(seconds)
    process.kill()
    process.join()
    if process.exitcode not in (0, EXIT_KILLED):
        raise RuntimeError(f"A training ended with the status {process.exitcode}.")
    return process.exitcode == EXIT_KILLED


def is_whole(run_dir: pathlib.Path, overrides: list[str]) -> bool:
    """Whether nothing is left to do, though a process may have been killed while it said so."""
    if not run_dir.exists():
        return False
    return "export.when_trained=true" not in overrides or (run_dir / "export" / "1").exists()


def checkpoints(run_dir: pathlib.Path) -> pathlib.Path:
    """Those of a training that has not come to its end."""
    return run_dir.with_name(f"{run_dir.name}.partial") / "checkpoints"


def unfinished(run_dir: pathlib.Path) -> set[tuple[pathlib.Path, int]]:
    """Checkpoints that were never written to their end, and when that was given up.

    They stay until the next one of their phase is written, whatever has begun meanwhile.
    """
    left = checkpoints(run_dir).rglob("*.partial")
    return {(path, path.stat().st_mtime_ns) for path in left}


def moment(run_dir: pathlib.Path, left: set[tuple[pathlib.Path, int]]) -> str:
    """What a killed training was doing, by what it left behind.

    left: what was `unfinished` before it began.
    """
    if run_dir.exists():
        return "export"
    if unfinished(run_dir) - left:
        return "writing a checkpoint"
    kept = checkpoints(run_dir)
    if (kept / "checkpoint").exists():
        return "evaluation"
    for phase in ("refit", "search"):
        if (kept / phase).exists():
            return phase
    return "beginning"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    generator, moments, faults = random.Random(arguments.seed), collections.Counter(), []
    make = functools.partial(context().Process, target=train)
    with tempfile.TemporaryDirectory() as name:
        folder, seconds = pathlib.Path(name), {}
        for scenario, overrides in SCENARIOS.items():
            started = time.monotonic()
            whole = make(args=(VALUES, overrides, folder / scenario))
            whole.start()
            whole.join()
            seconds[scenario] = time.monotonic() - started
            print(f"{scenario}: {seconds[scenario]:.1f} s undisturbed", flush=True)
        runs = 0
        while sum(moments.values()) < arguments.kills:
            scenario = list(SCENARIOS)[runs % len(SCENARIOS)]
            runs += 1
            place = folder / f"run {runs}"
            start = functools.partial(_started, make, SCENARIOS[scenario], place)
            while not is_whole(place, SCENARIOS[scenario]):
                left = unfinished(place)
                if killed(start, generator.uniform(0.05, 1.0) * seconds[scenario]):
                    moments[moment(place, left)] += 1
                else:  # the machine was busier when the whole run was timed
                    seconds[scenario] *= SHORTER
            told = differences(place, folder / scenario)
            faults += [f"run {runs} ({scenario}): {each}" for each in told]
            print(f"run {runs} ({scenario}): {told or 'the same'}, {dict(moments)}", flush=True)
            shutil.rmtree(place)
    print(f"{sum(moments.values())} kills in {runs} runs, {len(faults)} differences: {faults}")


def _started(make: Callable[..., Any], overrides: list[str], place: pathlib.Path) -> Any:
    process = make(args=(VALUES, overrides, place))
    process.start()
    return process


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))  # from a checkout
    main()
