"""The four experiments of MultiTaskNet: `python benchmarks/mf_ncf_experiments.py [--seeds 5]`.

experiments/mf_ncf_*.yaml on MovieLens 100k: tables shared between the tasks or separate, and the
weights of factorisation and regression .99/.01 or .5/.5; else they are alike, and every setting was
chosen on validation rows. A seed is that of the 95/5 split, of the weights and of all that is
drawn. Each run learns twice: from the training rows, validated after every epoch, which is the
picture; then from training and validation rows together, for the epochs of the recipe, scored once
on test, which is the table. Intervals are Student's over the seeds, 95 %; differences are paired.

    MSE    of the network's output as it is, over test rows
    RMSE   of what is predicted: stars within the scale
    MRR    mean over users of the reciprocal rank of the first of their test items, among all items
           but those they rated before; ties count against the model
    all    the same with the mean over all of a user's test items in place of the first
"""

import argparse
import functools
import pathlib
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

ROOT = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from _timing import console, show  # noqa: E402

from multitask_recommender import config, registry  # noqa: E402
from multitask_recommender.evaluation.held_out import arrange  # noqa: E402
from multitask_recommender.experiment import Experiment, build  # noqa: E402
from multitask_recommender.metrics.intervals import Interval, paired_interval  # noqa: E402

NAMES = {
    "shared .99/.01": "mf_ncf_shared_99_1",
    "shared .5/.5": "mf_ncf_shared_50_50",
    "separate .5/.5": "mf_ncf_separate_50_50",
    "separate .99/.01": "mf_ncf_separate_99_1",
}
DIFFERENCES = (
    ("shared .99/.01", "separate .99/.01"),
    ("shared .5/.5", "separate .5/.5"),
    ("shared .99/.01", "shared .5/.5"),
    ("separate .99/.01", "separate .5/.5"),
)
MSE, RMSE, MRR, ALL = "MSE", "RMSE", "MRR", "MRR, all"
COLUMNS = (MSE, RMSE, MRR, ALL)
CURVES = {MSE: "validation/rating/loss", MRR: "validation/full/mrr"}
PICTURE = ROOT / "docs" / "mf_ncf_experiments.svg"

Curves = dict[str, list[float]]  # by metric, a value an epoch


def experiment_of(name: str, seed: int, overrides: list[str]) -> Experiment:
    seeds = [f"split.seed={seed}", f"training.seed={seed}", "dataset.offline=error"]
    path = ROOT / "experiments" / f"{NAMES[name]}.yaml"
    return Experiment(config.load(path, [*seeds, "evaluation.protocols=[full]", *overrides]))


def trained(experiment: Experiment, rows: Any, epochs: int, see: Callable[[Any], None]) -> Any:
    """A model that has learnt from rows; after each epoch it is shown to `see`."""
    from multitask_recommender.batches import TrainingBatches
    from multitask_recommender.training.loop import Training

    settings = experiment.config.training
    model = build(experiment.config, rows)
    batches = TrainingBatches(rows, settings.batch_size, settings.seed)
    with tempfile.TemporaryDirectory() as folder:
        training = Training(model, batches, settings, pathlib.Path(folder))
        for _ in training.epochs(epochs, lambda steps: None):
            see(model)
    return model


def curves_of(experiment: Experiment, epochs: int) -> Curves:
    """On validation rows, of a model that has not learnt from them."""
    found: Curves = {name: [] for name in CURVES}

    def see(model: Any) -> None:
        metrics = experiment._validate(model)
        for name, key in CURVES.items():
            found[name].append(metrics[key])

    trained(experiment, experiment.data.train, epochs, see)
    return found


def figures_of(experiment: Experiment) -> dict[str, float]:
    """On test rows, of a model that has learnt from all others."""
    rows, epochs = experiment.learnt_rows, experiment.config.training.epochs
    model = trained(experiment, rows, epochs, lambda model: None)
    metrics = experiment.results(model)["metrics"]
    return {
        MSE: metrics["test/rating/loss"],
        RMSE: metrics["test/rating/root_mean_squared_error"],
        MRR: metrics["test/full/mrr"],
        ALL: reciprocal_rank_of_all(experiment, model.scorer()),
    }


def reciprocal_rank_of_all(experiment: Experiment, scorer: Any) -> float:
    """Mean over users of the mean over their test items; an item unknown in training is missed."""
    held_out = arrange(experiment.seen, experiment.data.test)
    scores = scorer.score_block({"user_id": held_out.queries})  # [Q, I]
    scores.reshape(-1)[held_out.seen_cells] = -np.inf
    own = scores.reshape(-1)[held_out.relevant_cells]
    ranks = np.sum(scores[held_out.pair_queries] >= own[:, None], axis=1)
    sums = np.bincount(held_out.pair_queries, 1.0 / ranks, minlength=len(held_out.users))
    return float(np.mean(sums / held_out.num_relevant))


def over_seeds(values: np.ndarray) -> Interval:
    return paired_interval(values, np.zeros_like(values))


def shown(values: np.ndarray, sign: str = "") -> str:
    found = over_seeds(values)
    return f"{found.mean:{sign}.4f} [{found.low:{sign}.4f}, {found.high:{sign}.4f}]"


def draw_picture(
    curves: Mapping[str, list[Curves]], epochs: int, source: str, path: pathlib.Path
) -> None:
    """A panel a metric: means over the seeds, with their intervals."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    for axes, metric in zip(figure.subplots(1, len(CURVES)), CURVES, strict=True):
        for name, runs in curves.items():
            values = np.array([run[metric] for run in runs])  # [S, E]
            found = [over_seeds(column) for column in values.T]
            places = np.arange(1, len(found) + 1)
            style = "-" if name.startswith("shared") else "--"
            (line,) = axes.plot(places, [each.mean for each in found], style, label=name)
            low, high = [each.low for each in found], [each.high for each in found]
            axes.fill_between(places, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
        axes.axvline(epochs, color="grey", linewidth=0.8, linestyle=":")
        axes.set_xlabel("epoch (dotted: that of the table)")
        axes.set_ylabel(f"validation {metric}")
    axes.legend(fontsize="small")
    figure.suptitle(f"{source}: mean and 95 % interval over {len(runs)} seeds", fontsize="small")
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--curve-epochs", type=int, default=40, help="of the picture")
    parser.add_argument("--picture", type=pathlib.Path, default=PICTURE)
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="over those of the recipes"
    )
    arguments = parser.parse_intermixed_args()
    dataset = registry.load("datasets", "movielens")
    dataset.read = functools.lru_cache(dataset.read)  # the same rows for all

    started, curves, figures = time.perf_counter(), {}, {}
    for name in NAMES:
        curves[name], runs = [], []
        for seed in range(arguments.seeds):
            experiment = experiment_of(name, seed, arguments.overrides)
            curves[name].append(curves_of(experiment, arguments.curve_epochs))
            runs.append(figures_of(experiment))
        figures[name] = {key: np.array([run[key] for run in runs]) for key in COLUMNS}
        console.print(f"{name}: {time.perf_counter() - started:.0f} s", highlight=False)
    popularity = [
        reciprocal_rank_of_all(experiment, experiment.baseline("popularity"))
        for experiment in [experiment_of("shared .5/.5", seed, arguments.overrides) for seed in range(arguments.seeds)]
    ]
    source = experiment.data.train.source.name
    show(
        f"{source}, 95/5, test: mean of {arguments.seeds} seeds [95 %]",
        ["", *COLUMNS],
        [[name, *(shown(found[key]) for key in COLUMNS)] for name, found in figures.items()],
    )
    show(
        "paired differences [95 %]",
        ["", *COLUMNS],
        [
            [f"{one} - {other}", *(shown(figures[one][k] - figures[other][k], "+") for k in COLUMNS)]
            for one, other in DIFFERENCES
        ],
    )
    draw_picture(curves, experiment.config.training.epochs, source, arguments.picture)


if __name__ == "__main__":
    main()
