"""Recipes of experiments/ over seeds, each trained on all rows to learn from and scored on test."""

import argparse
import statistics
from collections.abc import Mapping, Sequence

from _timing import ROOT, console, show
from _trained import trained

from multitask_recommender import config
from multitask_recommender.experiment import Experiment


def main(title: str, description: str, recipes: Sequence[str], metrics: Mapping[str, str]) -> None:
    """Prints a line a run, then a table of means with deviations.

    metrics: flat keys by what the table calls them. Baselines are those of the last recipe.
    """
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("names", nargs="*", default=recipes, metavar="NAME", help="of a recipe")
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
            found = " ".join(f"{told} {runs[-1][key]:.4f}" for told, key in metrics.items())
            console.print(f"{name}, seed {seed}: {found}, trained in {taken:.0f} s")
        values = [[run[key] for run in runs] for key in metrics.values()]
        rows.append([name, *map(_spread, values), f"{statistics.median(seconds):.0f}"])
    for name in ("popularity", *experiment.config.baselines):
        found = experiment.test_evaluator(experiment.baseline(name)).metrics
        rows.append([name, *(f"{found[key]:.4f}" for key in metrics.values()), "-"])
    show(f"{title}, {arguments.seeds} seeds", ["", *metrics, "s of training"], rows)


def _spread(values: list[float]) -> str:
    spread = f" ±{statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4f}{spread}"
