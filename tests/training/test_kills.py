"""Trainings ended by SIGKILL or SIGTERM, each a process of its own, end as one that was not.

The same run is killed at one point after another, and begun again each time. Where within an epoch
is drawn; `benchmarks/kills.py` draws all moments, fifty times.
"""

import json
import os
import random
import signal
import sys

import pytest
import yaml

from benchmarks import kills
from multitask_recommender import cli

VALUES = {
    **kills.VALUES,
    "dataset": {"name": "synthetic", "users": 30, "items": 40, "rows": 900},
    "training": {
        **kills.VALUES["training"],
        "epochs": 3,
        "batch_size": 48,
        "checkpoint_seconds": 0.0,
    },
}
STEPS = 12  # in an epoch of the search: 576 rows


def train(arguments, point, number_of_signal):
    """What `python train.py` does; a signal comes at the call of a function that a point names."""
    from multitask_recommender import cli, report, run_folder
    from multitask_recommender.training import checkpoints, history, loop

    name, number = point
    report.console.quiet = True
    loop._STEPS_PER_CALL = 1
    owner, function = {
        "search": (report.Progress, "advance"),
        "refit": (report.Progress, "advance"),
        "checkpoint": (checkpoints.run_folder, "flush"),
        "history": (history.History, "add"),
        "evaluation": (run_folder, "write_json"),
        "nowhere": (run_folder, "flush"),
    }[name]
    original, start, calls, phases = getattr(owner, function), report.Progress.start, [], []

    def counted(*arguments, **options):
        if name not in ("search", "refit") or name in phases:
            calls.append(1)
        if len(calls) == number:
            os.kill(os.getpid(), number_of_signal)
        return original(*arguments, **options)

    def started(self, phase, *arguments):
        phases.append(phase)
        start(self, phase, *arguments)

    report.Progress.start = started
    setattr(owner, function, counted)
    sys.exit(cli.run("train", arguments, "python train.py"))


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """How a training that may be killed ended: its exit status."""
    context, config = kills.context(), tmp_path_factory.mktemp("config") / "config.yaml"
    config.write_text(yaml.safe_dump(VALUES))

    def ended(overrides, run_dir, point=("nowhere", -1), number_of_signal=signal.SIGKILL):
        arguments = ["--config", str(config), "--run-dir", str(run_dir), *overrides]
        process = context.Process(target=train, args=(arguments, point, number_of_signal))
        process.start()
        process.join()
        return process.exitcode

    return ended


@pytest.fixture(scope="module")
def whole(ended, tmp_path_factory):
    """A run that nothing has disturbed."""
    run_dir = tmp_path_factory.mktemp("runs") / "whole"
    assert ended([], run_dir) == 0
    return run_dir


def places(run_dir, phase):
    """The steps of the checkpoints that a killed training left."""
    folder = run_dir.with_name(f"{run_dir.name}.partial") / "checkpoints" / phase
    return [json.loads((path / "about.json").read_text())["step"] for path in folder.glob("*[0-9]")]


def test_wherever_it_is_killed(ended, whole, tmp_path):
    generator = random.Random()
    searched, refitted = generator.randint(2, 2 * STEPS), generator.randint(2, STEPS)
    print(f"killed at call {searched} of the search, at call {refitted} of the refit")
    run_dir = tmp_path / "killed"

    assert ended([], run_dir, ("search", searched)) == kills.EXIT_KILLED
    assert places(run_dir, "search") == [searched - 1]  # of steps: the last was not saved
    assert ended([], run_dir, ("checkpoint", 3)) == kills.EXIT_KILLED
    assert places(run_dir, "search") == [searched + 1]
    assert ended([], run_dir, ("refit", refitted)) == kills.EXIT_KILLED
    assert places(run_dir, "refit") == [refitted - 1]
    assert ended([], run_dir, ("evaluation", 1)) == kills.EXIT_KILLED
    assert ended([], run_dir) == 0

    assert kills.differences(run_dir, whole) == []


def test_sigterm_finishes_the_step_and_saves_it(ended, whole, tmp_path):
    """At the seventh step of the second epoch; no checkpoint was due before it."""
    late = ["training.checkpoint_seconds=999"]
    point = ("search", STEPS + 7)

    assert ended(late, tmp_path / "stopped", point, signal.SIGTERM) == cli.TERMINATED
    assert places(tmp_path / "stopped", "search") == [STEPS + 7]
    assert ended(late, tmp_path / "stopped") == 0

    assert kills.differences(tmp_path / "stopped", whole) == []


def test_after_its_best_weights_were_kept_and_before_its_history_says_so(ended, tmp_path):
    overrides = ["training.refit=false"]
    assert ended(overrides, tmp_path / "whole") == 0

    assert ended(overrides, tmp_path / "killed", ("history", 2)) == kills.EXIT_KILLED
    assert ended(overrides, tmp_path / "killed") == 0

    assert kills.differences(tmp_path / "killed", tmp_path / "whole") == []
