"""Session models that retrieve, predict clicks and likes in one training, against their twins.

    python benchmarks/session_joint.py [--models gru4rec sr_gnn] [--rows 1500000] [key=value ...]

experiments/<model>_mmoe.yaml on rows in the form of Tenrec's ctr_1m, beside its single-task twins
<model>_retrieval.yaml and <model>_like.yaml, and MMoE without sessions (mmoe.yaml). All settings
were chosen on validation rows. Each run learns from training and validation rows, and is scored
once on test: HR@20 over all items but the user's clicked ones, ties against the model; labels over
all test rows. Intervals are paired, 95 %, with users as units: hit rates by Student's t, AUCs by
DeLong's method. Click and like of a test row are read with the state that training leaves.
"""

import argparse
import functools

from _timing import ROOT, console, show
from _trained import trained
from tenrec_joint import METRICS, difference

from multitask_recommender import config, evaluation, registry
from multitask_recommender.experiment import Experiment


def evaluated(recipe: str, overrides: list[str]) -> evaluation.Evaluation:
    """Trains on all rows to learn from, and evaluates on test."""
    experiment = Experiment(config.load(ROOT / "experiments" / f"{recipe}.yaml", overrides))
    model, seconds = trained(experiment, experiment.learnt_rows)
    weights = sum(weight.numpy().size for weight in model.weights)
    console.print(f"{recipe}: {weights:,} weights, trained in {seconds:.0f} s")
    return experiment.test_evaluator(model.scorer(), experiment.kinds, keep_arrays=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["gru4rec", "sr_gnn"])
    parser.add_argument("--rows", type=int, default=1_500_000)
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="over those of the recipes"
    )
    arguments = parser.parse_intermixed_args()
    overrides = [f"dataset.rows={arguments.rows}", *arguments.overrides]
    synthetic = registry.load("datasets", "synthetic")
    synthetic.read = functools.lru_cache(synthetic.read)  # the same rows for all: drawn once
    kinds = ("mmoe", "retrieval", "like")
    names = [f"{model}_{kind}" for model in arguments.models for kind in kinds]
    found = {name: evaluated(name, overrides) for name in [*names, "mmoe"]}
    path = ROOT / "experiments" / f"{names[0]}.yaml"
    experiment = Experiment(config.load(path, overrides))
    for name in ("popularity", "item_knn"):
        scorer = experiment.baseline(name)
        found[name] = experiment.test_evaluator(scorer, experiment.kinds)
    found["oracle"] = experiment.test_evaluator(experiment.data.train.oracle, experiment.kinds)
    show(
        f"{experiment.data.train.source.name}: test of {len(experiment.data.test):,} rows",
        ["", *METRICS],
        [[name, *_cells(run)] for name, run in found.items()],
    )
    rows = []
    for model in arguments.models:
        joint = found[f"{model}_mmoe"]
        for task in ("retrieval", "like"):
            told = difference(task, joint, found[f"{model}_{task}"])
            rows.append([model, task, f"{told.mean:+.4f}", f"[{told.low:+.4f}, {told.high:+.4f}]"])
    show("joint minus its twin: HR@20, AUC", ["", "task", "difference", "95 %"], rows)


def _cells(run: evaluation.Evaluation) -> list[str]:
    keys = METRICS.values()
    return [f"{run.metrics[key]:.4f}" if key in run.metrics else "-" for key in keys]


if __name__ == "__main__":
    main()
