"""The stages, each in a process of its own: `python stages.py STAGE FOLDER [JSON of settings]`.

All of them go the way of the product: a config, an Experiment, Training, an Evaluator, an export.
"""

import json
import pathlib
import sys
import time
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import numpy as np
from _timing import ROOT  # noqa: F401

from _full_scale import data, machine
from _full_scale.measure import measured
from multitask_recommender import run_folder
from multitask_recommender.config import Config, parse

# Chosen on validation rows of a hundredth of the data. Without weight decay, vectors learn the few
# dozen events that they have by heart in two passes.
MODEL = {"name": "two_tower", "embedding_dimension": machine.DIMENSION, "l2": 5.0, "l2_power": 0.0}
RETRIEVAL = {
    "positive": "click",
    "negatives": "drawn",
    "num_negatives": 1024,
    "negatives_power": 0.75,
}
TRAINING = {
    "epochs": 1,
    "batch_size": 8192,
    "optimizer": "rowwise_adagrad",
    "learning_rate": 0.1,
    "learning_rate_decay": "cosine",
    "refit": False,
}
RANKED = ("recall@20", "recall@100", "ndcg@20")  # of which the values of each user are kept


class _Enough(Exception):
    """So many seconds of training were asked for."""


def config(folder: pathlib.Path, options: dict[str, Any]) -> Config:
    return parse(
        {
            "dataset": {"name": "tenrec", "scenario": data.SCENARIO, "path": str(folder)},
            "split": {"name": "user_order", "test": 0.1, "validation": 0},
            "model": MODEL,
            "sharing": {"name": "shared_bottom", "hidden_layers": [32]},
            "tasks": {
                "retrieval": RETRIEVAL | options.get("retrieval", {}),
                "click": {},
                "like": {},
            },
            "training": TRAINING | options.get("training", {}),
            "evaluation": {"protocols": ["full"], **options.get("evaluation", {})},
            "export": options.get("export", {}),
        }
    )


def generate(folder: pathlib.Path, options: dict[str, Any], found: dict[str, Any]) -> None:
    found["rows"] = data.write(folder, options["fraction"], options.get("tiles", 1))
    found["bytes"] = sum(path.stat().st_size for path in folder.rglob("*.arrow"))


def bounds(folder: pathlib.Path, options: dict[str, Any], found: dict[str, Any]) -> None:
    found |= machine.bounds(folder)


def prepare(folder: pathlib.Path, options: dict[str, Any], found: dict[str, Any]) -> None:
    from multitask_recommender.experiment import Experiment

    experiment = Experiment(config(folder, options))
    parts = experiment.data.parts
    found["rows"] = {name: len(part) for name, part in parts.items()}
    found["users"], found["items"] = parts["train"].num_users, parts["train"].num_items
    found["bytes read"] = sum(path.stat().st_size for path in folder.rglob("*.arrow"))
    found["bytes held"] = sum(map(_bytes, parts.values()))
    found["traps"] = [trap.name for trap in experiment.traps]


def _bytes(rows: Any) -> int:
    columns = (rows.user_ids, rows.item_ids, rows.timestamps, *rows.labels.values())
    return sum(column.nbytes for column in columns)


def train(folder: pathlib.Path, options: dict[str, Any], found: dict[str, Any]) -> None:
    from multitask_recommender.experiment import Experiment, build
    from multitask_recommender.training import loop
    from multitask_recommender.training.checkpoints import Checkpoints
    from multitask_recommender.training.fit import SEARCH

    experiment = Experiment(config(folder, options))
    settings, rows = experiment.config.training, experiment.data.train
    found["prepared s"] = time.perf_counter() - _STARTED
    model = build(experiment.config, rows)
    batches = model.batches(rows, settings.batch_size, settings.seed, settings.batch_by)
    checkpoints = Checkpoints(folder / run_folder.CHECKPOINTS)
    training = loop.Training(model, batches, settings, checkpoints.of(SEARCH))
    found["built s"] = time.perf_counter() - _STARTED
    clock = _Clock(options.get("train_seconds"))
    try:
        for epoch in training.epochs(settings.epochs, clock):
            found["losses"] = epoch.losses
    except _Enough:
        found["losses"] = {each.name: float(each.result()) for each in model.metrics}
    retrieval = experiment.config.tasks["retrieval"].settings
    # Of others than drawn ones a step has not so many: its products are not known (least.py).
    number = retrieval.num_negatives if retrieval.negatives == "drawn" else None
    found |= {"negatives": number, "precision": settings.precision}
    examples = min(clock.steps, training.step) * settings.batch_size
    found |= {
        "steps": training.step,
        "epochs": training.step / training.steps_per_epoch,
        "positive share": float(experiment.positives(rows).mean()),
        "examples/processor s": examples / clock.spent,
        "examples/s": examples / clock.seconds,
        "parameters": loop.num_parameters(model),
    }
    started = time.perf_counter()
    loop.save_weights(model, checkpoints.folder)
    found["saved s"] = time.perf_counter() - started
    files = checkpoints.folder.glob("*.data*")
    found["bytes"] = sum(path.stat().st_size for path in files)


class _Clock:
    """Counts steps and their seconds, from the second call on: the first traces the graph."""

    def __init__(self, limit: float | None) -> None:
        self._limit = limit
        self._started: float | None = None
        self._spent = 0.0
        self.steps, self.seconds, self.spent = 0, float("nan"), float("nan")

    def __call__(self, steps: int) -> None:
        now = time.perf_counter()
        if self._started is None:
            self._started, self._spent = now, time.process_time()
            return
        self.steps += steps
        self.seconds, self.spent = now - self._started, time.process_time() - self._spent
        if self._limit is not None and self.seconds > self._limit:
            raise _Enough


def evaluate(folder: pathlib.Path, options: dict[str, Any], found: dict[str, Any]) -> None:
    from multitask_recommender.experiment import Experiment

    experiment = Experiment(config(folder, options))
    model = experiment.restore(folder)
    found["restored s"] = time.perf_counter() - _STARTED
    if experiment.config.export.tables == "float16":
        model.halve()  # as its export will be
    found["users"] = experiment.test_evaluator.num_users
    found["items"] = experiment.data.train.num_items
    found["arranged s"] = time.perf_counter() - _STARTED
    _judge(experiment, "model", model.scorer(experiment.config.evaluation.vectors), found, folder)
    _judge_beside(experiment, options, found, folder)


def beside(folder: pathlib.Path, options: dict[str, Any], found: dict[str, Any]) -> None:
    from multitask_recommender.experiment import Experiment

    _judge_beside(Experiment(config(folder, options)), options, found, folder)


def _judge_beside(
    experiment: Any, options: dict[str, Any], found: dict[str, Any], folder: pathlib.Path
) -> None:
    """Judges baselines by name, and `best`: the numbers that the rows were made with."""
    for name in options.get("beside", ["popularity"]):
        if name == "best":
            from _full_scale.planted import Planted

            scorer = Planted(options["fraction"], experiment.data.train)
        else:
            scorer = experiment.baseline(name)
        _judge(experiment, name, scorer, found, folder)


def _judge(
    experiment: Any, name: str, scorer: Any, found: dict[str, Any], folder: pathlib.Path
) -> None:
    """Adds a scorer's metrics, and writes those of each user."""
    started = time.perf_counter()
    result = experiment.test_evaluator(scorer, experiment.kinds, keep_arrays=True)
    found[f"{name} s"] = time.perf_counter() - started
    metrics = {key.removeprefix("test/"): value for key, value in result.metrics.items()}
    found[name] = {key: each for key, each in metrics.items() if key.endswith((*RANKED, "/auc"))}
    found["protocol"] = result.protocol["full"]
    ranked = {key: each for key, each in result.arrays.items() if key.endswith(RANKED)}
    np.savez(folder / f"{name}.npz", **ranked)


def export(folder: pathlib.Path, options: dict[str, Any], found: dict[str, Any]) -> None:
    from multitask_recommender import exporting
    from multitask_recommender.experiment import Experiment

    def opened() -> tuple[Experiment, Any]:
        experiment = Experiment(config(folder, options))
        return experiment, experiment.restore(folder)

    run = {"metrics": {}, "baselines": {"popularity": {}}, "protocol": {"trained_on": "train"}}
    version = exporting.export(opened, folder / "export", run)
    found["bytes"] = sum(path.stat().st_size for path in version.rglob("*") if path.is_file())


_ALL = (bounds, generate, prepare, train, evaluate, export, beside)
STAGES = {each.__name__: each for each in _ALL}
_STARTED = time.perf_counter()

if __name__ == "__main__":
    stage, place, given = sys.argv[1], pathlib.Path(sys.argv[2]), json.loads(sys.argv[3])
    with measured(place / f"{stage}.json") as told:
        STAGES[stage](place, given, told)
