"""GRU4Rec and SR-GNN against RecBole's, on the histories of MovieLens 100k.

    taskset -c 1 python benchmarks/sessions_against_recbole.py --recbole PYTHON [--epochs 3] [NAME]

PYTHON is the interpreter of an environment with RecBole (recbole==1.2.1 wants torch, numpy<2,
scipy<1.12 and pandas<2.3). Both sides learn the same histories: each user's films in the order of
time, ties as in the log, the last one test, the one before it validation, which nobody learns from
and which is told as history for test. Both learn for as many epochs, by a softmax over all films,
d 64 (GRU4Rec: 128 units), histories of 30. RecBole's every prefix of a history is an example of its
own; ours are windows of 30 films, half of one apart, in which each film but the first is one.
nDCG@10 is over all films, also those seen before, mean over users, at the end of the epochs. An
epoch is told in seconds of the processor, which other work on the machine does not lengthen as it
does those of the clock; pinned to one core, as above, they are the same on an idle machine. The
first epoch, which compiles, is left out. Sides take turns, RecBole in a process of its own.

RecBole's settings are its defaults; ours were chosen on validation for as many epochs.
"""

import argparse
import dataclasses
import functools
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time
from typing import Any

import numpy as np
from _timing import console, record, show

from multitask_recommender import config, experiment, registry, splits
from multitask_recommender.interactions import Interactions

RECBOLE = """
import json, sys, tempfile, time, warnings
warnings.filterwarnings("ignore")
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import get_model, get_trainer, init_seed
folder, model, epochs = sys.argv[1], sys.argv[2], int(sys.argv[3])
settings = dict(
    data_path=folder, epochs=epochs, load_col={"inter": ["user_id", "item_id", "timestamp"]},
    MAX_ITEM_LIST_LENGTH=30, loss_type="CE", train_neg_sample_args=None, train_batch_size=2048,
    embedding_size=64, metrics=["NDCG"], topk=[10], valid_metric="NDCG@10",
    eval_args=dict(split={"LS": "valid_and_test"}, group_by="user", order="TO", mode="full"),
    use_gpu=False, show_progress=False, checkpoint_dir=tempfile.mkdtemp(), state="ERROR",
)
config = Config(model=model, dataset="ml100k", config_dict=settings)
init_seed(config["seed"], config["reproducibility"])
dataset = create_dataset(config)
train, valid, test = data_preparation(config, dataset)
trainer = get_trainer(config["MODEL_TYPE"], config["model"])(
    config, get_model(config["model"])(config, train._dataset).to(config["device"])
)
seconds, one_epoch = [], trainer._train_epoch
def timed(*arguments, **options):
    started = time.process_time()
    loss = one_epoch(*arguments, **options)
    seconds.append(time.process_time() - started)
    return loss
trainer._train_epoch = timed
trainer.fit(train, None, verbose=False, saved=False, show_progress=False)
found = trainer.evaluate(test, load_best_model=False, show_progress=False)
print(json.dumps({"seconds": seconds, "ndcg": float(found["ndcg@10"])}))
"""
NAMES = {"GRU4Rec": "GRU4Rec", "SR-GNN": "SRGNN"}  # what RecBole calls them
OURS = {
    "GRU4Rec": {"name": "gru4rec", "layers": [128], "dropout": 0.2},
    "SR-GNN": {"name": "sr_gnn", "dropout": 0.2},
}
CONFIG = {
    "dataset": {"name": "movielens", "offline": "error"},
    "split": {"name": "leave_last_out"},
    "tasks": {"retrieval": {"negatives": "full"}},
    "training": {"batch_size": 1024, "optimizer": "adam", "learning_rate": 0.01, "refit": False},
    "evaluation": {"protocols": ["unfiltered"], "cutoffs": [10]},
}


def configured(name: str, epochs: int) -> config.Config:
    model = {"embedding_dimension": 64, "session_length": 30, **OURS[name]}
    training = {**CONFIG["training"], "epochs": epochs}
    return config.parse({**CONFIG, "model": model, "training": training})


@functools.cache
def histories() -> Interactions:
    """All rows, of which each has a time of its own: its place in the order of time."""
    chosen = config.parse(CONFIG).dataset
    rows = registry.load("datasets", chosen.name).read(chosen.settings, None)
    places = np.empty(len(rows), np.int64)
    places[np.argsort(rows.timestamps, kind="stable")] = np.arange(len(rows))
    return dataclasses.replace(rows, timestamps=places)


def ours(name: str, epochs: int) -> dict[str, Any]:
    from multitask_recommender.training.checkpoints import Checkpoints
    from multitask_recommender.training.loop import Training

    chosen = configured(name, epochs)
    run = experiment.Experiment(chosen, splits.split(histories(), chosen.split))
    settings, rows = chosen.training, run.data.train
    built = experiment.build(chosen, rows)
    batches = built.batches(rows, settings.batch_size, settings.seed, settings.batch_by)
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        trainer = Training(built, batches, settings, Checkpoints(pathlib.Path(folder)))
        ends = [time.process_time() for _ in trainer.epochs(epochs, lambda steps: None)]
    found = run.test_evaluator(built.scorer()).metrics["test/unfiltered/ndcg@10"]
    return {"seconds": np.diff(ends, prepend=started).tolist(), "ndcg": found}


def recbole(python: str, folder: str, name: str, epochs: int) -> dict[str, Any]:
    command = [python, "-c", RECBOLE, folder, NAMES[name], str(epochs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        raise SystemExit(f"RecBole failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def write_inter(rows: Interactions, path: pathlib.Path) -> None:
    columns = (rows.user_ids.tolist(), rows.item_ids.tolist(), rows.timestamps.tolist())
    lines = "".join(f"{user}\t{item}\t{time}\n" for user, item, time in zip(*columns, strict=True))
    path.write_text(f"user_id:token\titem_id:token\ttimestamp:float\n{lines}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(OURS), metavar="NAME")
    parser.add_argument("--recbole", required=True, metavar="PYTHON")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "ml100k").mkdir()
        write_inter(histories(), pathlib.Path(folder) / "ml100k" / "ml100k.inter")
        for name in arguments.names:
            compare(name, arguments, folder)


def compare(name: str, arguments: argparse.Namespace, folder: str) -> None:
    theirs, own = [], []
    for _ in range(arguments.rounds):
        theirs.append(recbole(arguments.recbole, folder, name, arguments.epochs))
        own.append(ours(name, arguments.epochs))
        console.print(f"{name}: one round done, load {os.getloadavg()[0]:.1f}")
    ratios = [_epoch(one) / _epoch(other) for one, other in zip(theirs, own, strict=True)]
    record(f"sessions_against_recbole/{name}", statistics.median(ratios))
    rows = [
        [side, f"{statistics.median(map(_epoch, runs)):.1f}", ratio, _spread(runs)]
        for side, runs, ratio in (
            ("RecBole", theirs, "1"),
            ("ours", own, f"{statistics.median(ratios):.1f}"),
        )
    ]
    title = f"{name}, {arguments.epochs} epochs, medians of {arguments.rounds} rounds"
    show(title, ["", "processor s an epoch", "x as fast", "nDCG@10"], rows)


def _epoch(run: dict[str, Any]) -> float:
    """Seconds of an epoch but the first."""
    return statistics.median(run["seconds"][1:])


def _spread(runs: list[dict[str, Any]]) -> str:
    return " ".join(f"{run['ndcg']:.4f}" for run in runs)


if __name__ == "__main__":
    main()
