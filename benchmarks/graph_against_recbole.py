"""LightGCN and NGCF against RecBole's, on MovieLens 100k.

    python benchmarks/graph_against_recbole.py --recbole PYTHON [--epochs 30] [--only NAME]

PYTHON is the interpreter of an environment with RecBole (recbole==1.2.1 wants torch, numpy<2,
scipy<1.12 and pandas<2.3). Both sides learn from the same rows (random 8:1:1) by BPR with one
negative, batch 2048, d 64, three propagations, Adam. In each round RecBole trains some epochs, in a
process of its own, then we train for as many seconds; an epoch is timed without the first, which
compiles. nDCG@10 is over all items but those of train and validation, mean over users.

RecBole's settings are its defaults but for LightGCN's propagations, which are 2 by default, and for
the learning rate if asked. Ours: BPR with the learning rates below, chosen on validation; and, for
what the same seconds can do, the softmax of experiments/lightgcn.yaml.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile
from typing import Any

from _timing import console, record, show

from multitask_recommender import config, experiment
from multitask_recommender.interactions import Interactions

RECBOLE = """
import json, sys, tempfile, time, warnings
warnings.filterwarnings("ignore")
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import get_model, get_trainer, init_seed
folder, model, epochs, learning_rate = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
settings = dict(
    data_path=folder, benchmark_filename=["train", "valid", "test"], epochs=epochs,
    load_col={"inter": ["user_id", "item_id"]}, train_batch_size=2048, embedding_size=64,
    eval_args={"group_by": "user", "order": "RO", "mode": "full"}, metrics=["NDCG"], topk=[10],
    valid_metric="NDCG@10", use_gpu=False, show_progress=False, checkpoint_dir=tempfile.mkdtemp(),
    state="ERROR", learning_rate=float(learning_rate),
)
if model == "LightGCN":
    settings["n_layers"] = 3
config = Config(model=model, dataset="ml100k", config_dict=settings)
init_seed(config["seed"], config["reproducibility"])
dataset = create_dataset(config)
train, valid, test = data_preparation(config, dataset)
trainer = get_trainer(config["MODEL_TYPE"], config["model"])(
    config, get_model(config["model"])(config, train._dataset).to(config["device"])
)
seconds, one_epoch = [], trainer._train_epoch
def timed(*arguments, **options):
    started = time.perf_counter()
    loss = one_epoch(*arguments, **options)
    seconds.append(time.perf_counter() - started)
    return loss
trainer._train_epoch = timed
trainer.fit(train, None, verbose=False, saved=False, show_progress=False)
found = trainer.evaluate(test, load_best_model=False, show_progress=False)
print(json.dumps({"seconds": seconds, "ndcg": float(found["ndcg@10"])}))
"""
BPR = {"loss": "bpr", "num_negatives": 1, "negatives": "full", "remove_positives": True}
SOFTMAX = {"negatives": "full", "temperature": 0.2, "user_power": 0.5}
OURS = {
    "LightGCN": {
        "BPR": ({"name": "lightgcn"}, BPR, {"learning_rate": 0.005}),
        "softmax": (
            {"name": "lightgcn", "normalise": True, "item_bias": True},
            SOFTMAX,
            {"learning_rate": 0.01, "batch_by": "user"},
        ),
    },
    "NGCF": {"BPR": ({"name": "ngcf"}, BPR, {"learning_rate": 0.001})},
}


def ours(name: str, loss: str, seconds: float | None, epochs: int = 2) -> dict[str, Any]:
    """Trains for the epochs, or as many as go into the seconds; nDCG@10 on test."""
    from multitask_recommender.training.checkpoints import Checkpoints
    from multitask_recommender.training.loop import Training

    model, retrieval, training = OURS[name][loss]
    values = {
        "dataset": {"name": "movielens", "offline": "error"},
        "split": {"name": "random", "test": 0.1, "validation": 1 / 9},
        "model": model,
        "tasks": {"retrieval": retrieval},
        "training": {"epochs": 1000, "batch_size": 2048, "optimizer": "adam", **training},
    }
    run = experiment.Experiment(config.parse(values))
    settings, rows = run.config.training, run.data.train
    built = experiment.build(run.config, rows)
    batches = built.batches(rows, settings.batch_size, settings.seed, settings.batch_by)
    taken: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        trainer = Training(built, batches, settings, Checkpoints(pathlib.Path(folder)))
        for epoch in trainer.epochs(settings.epochs, lambda steps: None):
            taken.append(epoch.seconds)
            if len(taken) >= epochs if seconds is None else sum(taken) >= seconds:
                break
    found = run.test_evaluator(built.scorer()).metrics["test/full/ndcg@10"]
    return {"seconds": taken, "ndcg": found}


def write_inter(rows: Interactions, path: pathlib.Path) -> None:
    lines = zip(rows.user_ids.tolist(), rows.item_ids.tolist(), strict=True)
    text = "".join(f"{user}\t{item}\n" for user, item in lines)
    path.write_text(f"user_id:token\titem_id:token\n{text}")


def recbole(name: str, arguments: argparse.Namespace, folder: str) -> dict[str, Any]:
    program = [arguments.recbole, "-c", RECBOLE, folder, name]
    command = [*program, str(arguments.epochs), str(arguments.learning_rate)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        raise SystemExit(f"RecBole failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recbole", required=True, metavar="PYTHON")
    parser.add_argument("--epochs", type=int, default=30, help="of RecBole, in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--learning-rate", type=float, default=0.001, help="RecBole's")
    parser.add_argument("--only", choices=OURS, action="append", help="may be given again")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "ml100k").mkdir()
        values = {
            "dataset": {"name": "movielens", "offline": "error"},
            "split": {"name": "random", "test": 0.1, "validation": 1 / 9},
        }
        data = experiment.Experiment(config.parse(values)).data
        for part, rows in (("train", data.train), ("valid", data.validation), ("test", data.test)):
            write_inter(rows, pathlib.Path(folder) / "ml100k" / f"ml100k.{part}.inter")
        for name in arguments.only or OURS:
            compare(name, arguments, folder)


def compare(name: str, arguments: argparse.Namespace, folder: str) -> None:
    contenders: dict[str, list[dict[str, Any]]] = {
        "RecBole": [],
        **{loss: [] for loss in OURS[name]},
    }
    for _ in range(arguments.rounds):
        theirs = recbole(name, arguments, folder)
        contenders["RecBole"].append(theirs)
        for loss in OURS[name]:
            contenders[loss].append(ours(name, loss, sum(theirs["seconds"])))
            console.print(f"{name} {loss}: one round done")
    rows = []
    for contender, runs in contenders.items():
        ratios = [
            _epoch(theirs) / _epoch(run)
            for theirs, run in zip(contenders["RecBole"], runs, strict=True)
        ]
        record(f"graph_against_recbole/{name}/{contender}", statistics.median(ratios))
        rows.append(
            [
                contender,
                f"{1e3 * statistics.median(map(_epoch, runs)):.0f}",
                f"{statistics.median(ratios):.1f}",
                str(int(statistics.median(len(run["seconds"]) for run in runs))),
                f"{statistics.median(sum(run['seconds']) for run in runs):.0f}",
                f"{statistics.median(run['ndcg'] for run in runs):.4f}",
            ]
        )
    columns = ["", "ms an epoch", "x as fast", "epochs", "s of training", "nDCG@10"]
    show(f"{name}, medians of {arguments.rounds} rounds", columns, rows)


def _epoch(run: dict[str, Any]) -> float:
    """Seconds of an epoch but the first."""
    return statistics.median(run["seconds"][1:])


if __name__ == "__main__":
    main()
