"""A recipe on small made-up data, and the command on it."""

import gc
import json
import pathlib
from collections.abc import Callable, Iterator

import pytest

from multitask_recommender import cli
from multitask_recommender.experiment import Experiment

RECIPE = """
dataset: {name: synthetic, users: 30, items: 20, rows: 300}
split: {validation: 0.2}
model: {name: two_tower, embedding_dimension: 4}
tasks: {retrieval: {}, like: {weight: 0.5}}
training: {epochs: 4, batch_size: 300, learning_rate: 0.1}
evaluation: {cutoffs: [5], baselines: [ease]}
"""
LEARNING_RATE = "training.learning_rate"


@pytest.fixture
def recipe(elsewhere: pathlib.Path) -> pathlib.Path:
    """In the working folder, as one of experiments/: its name is `tiny`."""
    path = elsewhere / "experiments" / "tiny.yaml"
    path.parent.mkdir()
    path.write_text(RECIPE)
    return path


@pytest.fixture
def sweep(recipe: pathlib.Path) -> Callable[..., dict]:
    """Runs the command into `out`, and reads its sweep.json."""

    def sweep(*arguments: str, status: int = 0, out: str = "out") -> dict:
        assert cli.main(["sweep", "tiny", *arguments, "--out", out]) == status
        return json.loads(pathlib.Path(out, "sweep.json").read_text())

    return sweep


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict]]:
    """Instead of training: what was asked for, with the epochs that were made.

    After epoch e of 4 the metric is e / 4 of what the learning rate comes to at the end: the less
    it is, the better. With a rate of 1 the loss is no number.
    """
    from multitask_recommender.errors import RunError
    from multitask_recommender.training.fit import Searched

    asked = []

    def search(self, folder, goes_on):
        training = self.config.training
        asked.append({"rate": training.learning_rate, "seed": training.seed, "epochs": 0})
        if training.learning_rate == 1:
            raise RunError("The total loss is nan in epoch 1.")
        curve, metrics = [], {}
        for epoch in range(1, training.epochs + 1):
            value = (1 - training.learning_rate + training.seed / 1000) * epoch / training.epochs
            curve.append((epoch, value))
            asked[-1]["epochs"] = epoch
            if not goes_on(epoch, value):
                break
        else:
            metrics = {self.monitor.key: value, "validation/like/auc": 0.5}
        return Searched(training.epochs, metrics, curve, 17)

    monkeypatch.setattr(Experiment, "search", search)
    monkeypatch.setattr(gc, "collect", lambda: 0)  # a seventh of a second, after each training
    return asked
