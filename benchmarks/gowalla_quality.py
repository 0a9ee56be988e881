"""Graph models and two towers on Gowalla.

    python benchmarks/gowalla_quality.py [--seeds 3] [NAME ...]      NAMEs of experiments/

The split of NGCF and LightGCN (dataset `adjacency`, in $MTR_DATA/gowalla). Each recipe of
experiments/ learns from all of train.txt for the epochs of its config, which validation rows out of
train.txt chose, and is scored once on test.txt: all items but those of train.txt, ties against the
model, mean over users.
"""

import argparse
import statistics

from _timing import ROOT, console, show
from _trained import trained

from multitask_recommender import config
from multitask_recommender.experiment import Experiment

RECIPES = ("lightgcn", "lightgcn_bpr", "ngcf", "two_tower_gowalla")
METRICS = ("recall@20", "ndcg@20")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=RECIPES, metavar="NAME", help="of a recipe")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    rows = []
    for name in arguments.names:
        runs, seconds = [], []
        for seed in range(42, 42 + arguments.seeds):
            path = ROOT / "experiments" / f"{name}.yaml"
            experiment = Experiment(config.load(path, [f"training.seed={seed}"]))
            model, taken = trained(experiment, experiment.learnt_rows)
            runs.append(experiment.test_evaluator(model.scorer()).metrics)
            seconds.append(taken)
            found = " ".join(f"{metric} {runs[-1][_key(metric)]:.4f}" for metric in METRICS)
            console.print(f"{name}, seed {seed}: {found}, trained in {taken:.0f} s")
        values = [[run[_key(metric)] for run in runs] for metric in METRICS]
        rows.append([name, *map(_spread, values), f"{statistics.median(seconds):.0f}"])
    metrics = experiment.test_evaluator(experiment.baseline("popularity")).metrics
    rows.append(["popularity", *(f"{metrics[_key(metric)]:.4f}" for metric in METRICS), "-"])
    show(f"Gowalla, {arguments.seeds} seeds", ["", *METRICS, "s of training"], rows)


def _key(metric: str) -> str:
    return f"test/full/{metric}"


def _spread(values: list[float]) -> str:
    spread = f" ±{statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4f}{spread}"


if __name__ == "__main__":
    main()
