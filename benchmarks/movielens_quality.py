"""How good the main job is on MovieLens 100k: joint against single-task twins, EASE and popularity.

    python benchmarks/movielens_quality.py --json quality.json      (about 15 minutes on 2 cores)

Each model learns from train and validation together for the epochs of its config (all settings were
chosen on validation rows), and is scored once on test: `full` (seen items excluded, ties against
the model), ratings within the scale. A twin is a run of its own with one task, its own tables and
its own settings, chosen on validation like those of the joint model. Intervals are paired, over
users, 95 %.
"""

import argparse
import json
import pathlib

import numpy as np
from _timing import ROOT
from _trained import trained
from rich.console import Console
from rich.table import Table

from multitask_recommender import config, evaluation
from multitask_recommender.experiment import Experiment
from multitask_recommender.metrics.intervals import paired_interval

SHARED, SEPARATE = ROOT / "config.yaml", ROOT / "experiments" / "two_tower_separate.yaml"
JOINT = {"joint, shared tables": (SHARED, []), "joint, separate tables": (SEPARATE, [])}
# The best single-task settings that validation found: the separate recipe where it did better, and
# a weight of like that balances its loss with the weight decay.
TWINS = {
    "retrieval alone": (SEPARATE, ["tasks.like=null", "tasks.rating=null"]),
    "like alone": (SHARED, ["tasks.retrieval=null", "tasks.rating=null", "tasks.like.weight=4.0"]),
    "rating alone": (SEPARATE, ["tasks.retrieval=null", "tasks.like=null"]),
}
COLUMNS = {
    "top-100": "test/full/top_100_categorical_accuracy",
    "top-10": "test/full/top_10_categorical_accuracy",
    "ndcg@20": "test/full/ndcg@20",
    "unfiltered top-100": "test/unfiltered/factorized_top_k/top_100_categorical_accuracy",
    "RMSE": "test/rating/root_mean_squared_error",
    "MAE": "test/rating/mean_absolute_error",
    "like AUC": "test/like/auc",
}
# What the interval of a task is over: one value for each test row.
ROWS = {
    "retrieval": "test/full/top_100_categorical_accuracy",
    "rating": "test/rating/squared_error",
    "like": "test/like/is_correct",
}


def evaluate(source: tuple[pathlib.Path, list[str]], overrides: list[str]) -> evaluation.Evaluation:
    """Trains on train and validation and evaluates on test."""
    path, own = source
    experiment = Experiment(config.load(path, [*own, "dataset.offline=error", *overrides]))
    model, _ = trained(experiment, experiment.learnt_rows)
    return experiment.test_evaluator(model.scorer(), experiment.kinds, keep_arrays=True)


def baseline(name: str, overrides: list[str]) -> evaluation.Evaluation:
    experiment = Experiment(config.load(SHARED, ["dataset.offline=error", *overrides]))
    return experiment.test_evaluator(experiment.baseline(name), experiment.kinds)


def summary(title: str, results: dict[str, list[evaluation.Evaluation]]) -> Table:
    """Means over runs, with the standard deviation where there are several."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for column in COLUMNS:
        table.add_column(column, justify="right")
    for name, runs in results.items():
        cells = []
        for key in COLUMNS.values():
            values = [run.metrics[key] for run in runs if key in run.metrics]
            spread = f" ±{np.std(values, ddof=1):.4f}" if len(values) > 1 else ""
            cells.append(f"{np.mean(values):.4f}{spread}" if values else "-")
        table.add_row(name, *cells)
    return table


def differences(results: dict[str, list[evaluation.Evaluation]]) -> Table:
    """Joint minus twin: over users, each with the mean of his test rows over the seeds.

    Rows of one user are not independent, so it is users that are counted.
    """
    users = Experiment(config.load(SHARED, ["dataset.offline=error"])).data.test.user_ids
    rows = np.maximum(np.bincount(users), 1)
    table = Table(title="joint, shared tables, minus its single-task twin", title_justify="left")
    for column in ("task", "value of a row", "difference", "95 % interval"):
        table.add_column(column)
    for task, key in ROWS.items():
        joint, twin = (
            np.mean([run.arrays[key] for run in results[name]], axis=0)
            for name in ("joint, shared tables", f"{task} alone")
        )
        sums = np.bincount(users, weights=joint), np.bincount(users, weights=twin)
        tested = np.unique(users)
        interval = paired_interval(*((each / rows)[tested] for each in sums))
        table.add_row(
            task,
            key.removeprefix("test/"),
            f"{interval.mean:+.4f}",
            f"[{interval.low:+.4f}, {interval.high:+.4f}]",
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=pathlib.Path, help="write every metric there")
    parser.add_argument("--seeds", type=int, default=3, help="training seeds on split 42")
    parser.add_argument("--splits", type=int, default=5, help="random splits, and u1..u5")
    arguments = parser.parse_args()
    console, record = Console(width=140), {}

    def show(title: str, results: dict[str, list[evaluation.Evaluation]]) -> None:
        console.print(summary(title, results))
        record[title] = {name: [run.metrics for run in runs] for name, runs in results.items()}

    seeds = [[f"training.seed={42 + seed}"] for seed in range(arguments.seeds)]
    results = {
        name: [evaluate(source, seed) for seed in seeds] for name, source in (JOINT | TWINS).items()
    }
    baselines = {name: [baseline(name, [])] for name in ("ease", "popularity", "random")}
    show(f"random 80/20, split seed 42, {len(seeds)} training seeds", results | baselines)
    console.print(differences(results))

    splits = [[f"split.seed={seed}"] for seed in range(arguments.splits)]
    results = {
        name: [evaluate(source, split) for split in splits] for name, source in JOINT.items()
    }
    results["ease"] = [baseline("ease", split) for split in splits]
    show(f"random 80/20, split seeds 0..{len(splits) - 1}", results)

    folds = [["split.name=given", f"split.fold=u{n + 1}"] for n in range(arguments.splits)]
    results = {name: [evaluate(source, fold) for fold in folds] for name, source in JOINT.items()}
    results["ease"] = [baseline("ease", fold) for fold in folds]
    show(f"given splits u1..u{len(folds)}", results)
    if arguments.json:
        arguments.json.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
