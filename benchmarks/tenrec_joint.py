"""What to show next and what comes of it, in one training, against single-task twins.

    python benchmarks/tenrec_joint.py [--rows 1500000] [key=value ...]

experiments/tenrec_joint.yaml (retrieval, click and like on rows in the form of Tenrec's ctr_1m)
with each way of sharing, beside a twin for each task: a run of its own with that task alone. All
settings were chosen on validation rows. Each run learns from training and validation rows, and is
scored once on test: `full` (clicked items excluded, ties against the model), labels over all test
rows. The oracle scores with the planted numbers; its ranking knows no order of clicks. Intervals
are paired, 95 %, with users as units: hit rates by Student's t, AUCs by DeLong's method.
"""

import argparse
import functools

from _timing import ROOT, console, show
from _trained import trained

from multitask_recommender import config, evaluation, registry
from multitask_recommender.experiment import Experiment
from multitask_recommender.metrics import intervals

RECIPE = ROOT / "experiments" / "tenrec_joint.yaml"
LINEAR = "sharing={name: shared_bottom, hidden_layers: []}"
JOINT = {
    "linear heads": [LINEAR],
    "mmoe": ["sharing={name: mmoe, experts: 4, hidden_layers: [32]}"],
    "ple": ["sharing={name: ple, hidden_layers: [32]}"],
    "separate tables": [LINEAR, "model.embeddings=separate", "model.l2=0.0"],
}
# With the settings that are best for each task alone.
ALONE = [LINEAR, "model.embedding_dimension=32", "model.ranking.l2=5.0", "training.epochs=5"]
TWINS = {
    "retrieval": [
        *("tasks.click=null", "tasks.like=null", "model.embedding_dimension=32"),
        *("model.l2=0.0", "training.epochs=3", LINEAR),
    ],
    "click": ["tasks.retrieval=null", "tasks.like=null", "tasks.click.weight=1.0", *ALONE],
    "like": ["tasks.retrieval=null", "tasks.click=null", *ALONE],
}
METRICS = {
    "HR@20": "test/full/hit_rate@20",
    "recall@20": "test/full/recall@20",
    "ndcg@20": "test/full/ndcg@20",
    "click AUC": "test/click/auc",
    "like AUC": "test/like/auc",
    "click ECE": "test/click/expected_calibration_error",
    "like ECE": "test/like/expected_calibration_error",
}


def evaluated(overrides: list[str]) -> evaluation.Evaluation:
    """Trains on train and evaluates on test."""
    experiment = Experiment(config.load(RECIPE, overrides))
    model, seconds = trained(experiment, experiment.learnt_rows)
    console.print(f"trained in {seconds:.0f} s: {' '.join(overrides)}")
    return experiment.test_evaluator(model.scorer(), experiment.kinds, keep_arrays=True)


def difference(
    task: str, joint: evaluation.Evaluation, twin: evaluation.Evaluation
) -> intervals.Interval:
    if task == "retrieval":
        key = METRICS["HR@20"]
        return intervals.paired_interval(joint.arrays[key], twin.arrays[key])
    column = f"test/{task}/"
    return intervals.auc_difference_interval(
        joint.arrays[column + "target"],
        joint.arrays[column + "prediction"],
        twin.arrays[column + "prediction"],
        groups=joint.arrays[column + "user"],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_500_000)
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="over those of the recipe"
    )
    arguments = parser.parse_intermixed_args()
    overrides = [f"dataset.rows={arguments.rows}", *arguments.overrides]
    synthetic = registry.load("datasets", "synthetic")
    synthetic.read = functools.lru_cache(synthetic.read)  # the same rows for all: drawn once

    joint = {name: evaluated([*overrides, *own]) for name, own in JOINT.items()}
    twins = {task: evaluated([*overrides, *own]) for task, own in TWINS.items()}
    experiment = Experiment(config.load(RECIPE, overrides))
    beside = {
        "popularity": experiment.baseline("popularity"),
        "oracle": experiment.data.train.oracle,
    }
    results = joint | {f"{task} alone": twin for task, twin in twins.items()}
    results |= {
        name: experiment.test_evaluator(scorer, experiment.kinds) for name, scorer in beside.items()
    }
    show(
        f"{experiment.data.train.source.name}: test of {len(experiment.data.test):,} rows",
        ["", *METRICS],
        [
            [
                name,
                *(
                    f"{run.metrics[key]:.4f}" if key in run.metrics else "-"
                    for key in METRICS.values()
                ),
            ]
            for name, run in results.items()
        ],
    )
    rows = []
    for name, run in joint.items():
        for task, twin in twins.items():
            found = difference(task, run, twin)
            rows.append(
                [name, task, f"{found.mean:+.4f}", f"[{found.low:+.4f}, {found.high:+.4f}]"]
            )
    show("joint minus its twin: HR@20, AUC", ["joint", "task", "difference", "95 %"], rows)


if __name__ == "__main__":
    main()
