"""The four experiments of MultiTaskNet: `python benchmarks/mf_ncf_experiments.py [--seeds 5]`.

experiments/mf_ncf_*.yaml on MovieLens 100k: tables shared between the tasks or separate, and the
weights of factorisation and regression .99/.01 or .5/.5; else they are alike. A seed is that of the
95/5 split, of the weights and of all that is drawn. A run learns from its training rows and is
validated after every epoch, which is the picture; the epoch with the least weighted loss is chosen,
and as many are learnt anew from training and validation rows, and scored once on test. Intervals
are Student's over the seeds, 95 %; differences are paired.

    MSE    of the network's output as it is, over test rows
    RMSE   of what is predicted: stars within the scale
    MRR    mean over users of the reciprocal rank of the first of their test items, among all items
           but those they rated before; ties count against the model
    all    the same with the mean over all of a user's test items in place of the first
"""

import argparse
import dataclasses
import functools
import pathlib
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from _timing import ROOT, console, show

from multitask_recommender import config, registry, report, run_folder
from multitask_recommender.evaluation.held_out import arrange
from multitask_recommender.experiment import Experiment
from multitask_recommender.metrics.intervals import Interval, paired_interval

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
MSE, RMSE, MRR, ALL = "MSE", "RMSE", "MRR", "MRR of all"
CURVES = {MSE: "validation/rating/loss", MRR: "validation/full/mrr"}
PULLS = "gradient_norm/retrieval", "gradient_norm/rating", "gradient_cosine/retrieval/rating"
PICTURE = ROOT / "docs" / "mf_ncf_experiments.svg"

Row = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Run:
    """What a run came to: its epoch, the search's history (a row an epoch), and test figures."""

    epoch: int
    history: list[Row]
    test: dict[str, float]


def experiment_of(name: str, seed: int, overrides: list[str]) -> Experiment:
    seeds = [f"split.seed={seed}", f"training.seed={seed}", "dataset.offline=error"]
    path = ROOT / "experiments" / f"{NAMES[name]}.yaml"
    return Experiment(config.load(path, [*seeds, "evaluation.protocols=[full]", *overrides]))


def run_of(experiment: Experiment) -> Run:
    from multitask_recommender.training.history import History

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        fitted = experiment.fit(folder)
        history = History(folder / run_folder.HISTORY, folder, "").of("search")
    metrics = experiment.test(fitted.model).metrics
    test = {
        MSE: metrics["test/rating/loss"],
        RMSE: metrics["test/rating/root_mean_squared_error"],
        MRR: metrics["test/full/mrr"],
        ALL: reciprocal_rank_of_all(experiment, fitted.model.scorer()),
    }
    return Run(fitted.epoch, history, test)


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
    return f"{found.mean:{sign}.4f} ±{found.high - found.mean:.4f}"


def show_test(source: str, runs: Mapping[str, list[Run]]) -> None:
    columns = (MSE, RMSE, MRR, ALL)
    figures = {
        name: {key: np.array([run.test[key] for run in each]) for key in columns}
        for name, each in runs.items()
    }
    rows = [
        [name, *(shown(found[key]) for key in columns), _epochs(runs[name])]
        for name, found in figures.items()
    ]
    show(f"{source}, 95/5, test: mean over seeds, 95 %", ["", *columns, "epochs"], rows)
    rows = [
        [f"{a} - {b}", *(shown(figures[a][key] - figures[b][key], "+") for key in columns)]
        for a, b in DIFFERENCES
    ]
    show("paired differences, 95 %", ["", *columns], rows)


def show_validation(runs: Mapping[str, list[Run]]) -> None:
    """The best of each metric's own epochs, and how tasks pull at the vectors of their tables."""
    rows = []
    for name, each in runs.items():
        curves = {metric: _curves(each, key) for metric, key in CURVES.items()}
        pulls = [f"{_curves(each, key).mean():.4f}" for key in PULLS]
        rows.append([name, shown(curves[MSE].min(axis=1)), shown(curves[MRR].max(axis=1)), *pulls])
    columns = ["", f"best {MSE}", f"best {MRR}", "|retrieval|", "|rating|", "cosine"]
    show("validation: each metric at its own best epoch; gradients: means", columns, rows)


def draw_picture(source: str, runs: Mapping[str, list[Run]], path: pathlib.Path) -> None:
    """A panel a metric: means over the seeds, with their intervals."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    for axes, (metric, key) in zip(figure.subplots(1, len(CURVES)), CURVES.items(), strict=True):
        for name, each in runs.items():
            found = [over_seeds(values) for values in _curves(each, key).T]
            epochs = np.arange(1, len(found) + 1)
            style = "-" if name.startswith("shared") else "--"
            (line,) = axes.plot(epochs, [point.mean for point in found], style, label=name)
            low, high = [point.low for point in found], [point.high for point in found]
            axes.fill_between(epochs, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
        axes.set_xlabel("epoch")
        axes.set_ylabel(f"validation {metric}")
    axes.legend(fontsize="small")
    seeds = len(next(iter(runs.values())))
    figure.suptitle(f"{source}: mean of {seeds} seeds, 95 % interval", fontsize="small")
    figure.savefig(path, metadata={"Date": None})


def _curves(runs: Sequence[Run], key: str) -> np.ndarray:
    """Values by seed and epoch, [S, E]."""
    return np.array([[row[key] for row in run.history] for run in runs])


def _epochs(runs: Sequence[Run]) -> str:
    return " ".join(str(run.epoch) for run in runs)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--picture", type=pathlib.Path, default=PICTURE)
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="over those of the recipes"
    )
    arguments = parser.parse_intermixed_args()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)  # the products are small
    report.console.quiet = True
    dataset = registry.load("datasets", "movielens")
    dataset.read = functools.lru_cache(dataset.read)  # the same rows for all

    started, runs = time.perf_counter(), {}
    for name in NAMES:
        experiments = [
            experiment_of(name, seed, arguments.overrides) for seed in range(arguments.seeds)
        ]
        runs[name] = [run_of(experiment) for experiment in experiments]
        console.print(f"{name}: {time.perf_counter() - started:.0f} s", highlight=False)
    source = experiments[0].data.train.source.name
    show_test(source, runs)
    show_validation(runs)
    popularity = [reciprocal_rank_of_all(each, each.baseline("popularity")) for each in experiments]
    console.print(f"popularity: {ALL} {shown(np.array(popularity))}", highlight=False)
    draw_picture(source, runs, arguments.picture)


if __name__ == "__main__":
    main()
