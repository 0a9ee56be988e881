"""The baselines on the NCF split of MovieLens 1M: each test film among its 99 given negatives.

    MTR_DATA=... python benchmarks/ncf_ml1m.py                       (about 15 minutes on 2 cores)
    MTR_DATA=... python benchmarks/ncf_ml1m.py --only ials --chosen  (1 minute: no search)

Validation is one training film of each user, drawn, among 99 drawn ones that he has not met; every
setting is chosen there, by nDCG@10. What was chosen then learns from all training rows, once a
seed, and is scored once on test. For 156 users the test film is among their own negatives: it is
left out of them, as in NCF's code; `twice` is the other way, where it stands against itself and, as
ties count against the model, is one place further down.
"""

import argparse
import json
import pathlib
import time
from typing import Any

import numpy as np
from _timing import console, show  # noqa: E402

from multitask_recommender import config, evaluation, registry  # noqa: E402
from multitask_recommender.experiment import Experiment  # noqa: E402

K = 10
CONFIG = {
    "dataset": {"name": "ncf"},
    "split": {"name": "given", "validation_by": "user"},
    "tasks": {"retrieval": {}},
    "evaluation": {"protocols": ["sampled"], "cutoffs": [K]},
}
# What is searched. The first of each is what validation chose here, for --chosen.
GRIDS: dict[str, list[dict[str, Any]]] = {
    "ials": [
        {"dimension": d, "l2": l2, "l2_power": power, "unobserved_weight": weight, "epochs": 8}
        for d, l2, power, weight in (
            *((256, 0.007, 1.0, 0.3), (256, 0.02, 0.85, 0.3)),
            *((192, 0.005, 1.0, 0.2), (192, 0.007, 1.0, 0.2), (192, 0.007, 1.0, 0.3)),
            *((192, 0.02, 0.85, 0.3), (192, 0.015, 0.85, 0.3), (192, 0.028, 0.85, 0.3)),
            *((192, 0.014, 0.85, 0.2), (192, 0.02, 0.85, 0.2), (192, 0.03, 0.85, 0.2)),
            *((192, 0.02, 0.85, 0.5), (192, 0.2, 0.5, 0.3), (192, 0.3, 0.5, 0.3)),
        )
    ],
    "ease": [{"l2": l2} for l2 in (1000.0, 500.0, 2000.0)],
    "item_knn": [
        {"neighbours": k, "shrinkage": shrinkage}
        for k, shrinkage in ((50, 10.0), (100, 10.0), (200, 10.0), (100, 0.0), (100, 50.0))
    ],
}


class Split:
    """The data with its two evaluators."""

    def __init__(self) -> None:
        self.config = config.parse(CONFIG)
        self.data = Experiment(self.config).data
        train, validation, test = self.data.train, self.data.validation, self.data.test
        settings = self.config.evaluation
        self.validator = evaluation.Evaluator([train], validation, settings, "validation")
        self.tester = evaluation.Evaluator([train, validation], test, settings, "test")
        self.is_twice = (test.given_negatives == test.item_ids[:, None]).any(axis=1)  # [N]

    def fit(self, name: str, values: dict[str, Any], seed: int, refit: bool) -> evaluation.Scorer:
        rows = self.data.train_and_validation if refit else self.data.train
        settings = registry.settings_class("baselines", name)(**values)
        return registry.load("baselines", name).fit(settings, rows, seed)

    def validated(self, name: str, values: dict[str, Any]) -> dict[str, float]:
        started = time.perf_counter()
        scorer = self.fit(name, values, seed=0, refit=False)
        seconds = time.perf_counter() - started
        metrics = self.validator(scorer).metrics
        return {**_figures(metrics, "validation"), "seconds": seconds}

    def tested(self, name: str, values: dict[str, Any], seed: int) -> dict[str, float]:
        started = time.perf_counter()
        scorer = self.fit(name, values, seed, refit=True)
        seconds = time.perf_counter() - started
        result = self.tester(scorer, keep_arrays=True)
        reciprocal = result.arrays[f"test/sampled/mrr@{K}"]  # of the ranks; 0 beyond K
        ranks = np.full(len(reciprocal), np.inf)
        np.divide(1, reciprocal, out=ranks, where=reciprocal > 0)
        ranks += self.is_twice
        is_hit = ranks <= K
        return {
            **_figures(result.metrics, "test"),
            "twice: HR@10": float(is_hit.mean()),
            "twice: nDCG@10": float(np.where(is_hit, 1 / np.log2(ranks + 1), 0).mean()),
            "seconds": seconds,
        }


def _figures(metrics: dict[str, float], part: str) -> dict[str, float]:
    return {
        f"HR@{K}": metrics[f"{part}/sampled/hit_rate@{K}"],
        f"nDCG@{K}": metrics[f"{part}/sampled/ndcg@{K}"],
    }


def search(split: Split, name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The settings that validate best, and the figures of all."""
    trials = []
    for values in GRIDS[name]:
        trials.append({"settings": values, **split.validated(name, values)})
        console.print(name, json.dumps(trials[-1]), highlight=False)
    return max(trials, key=lambda trial: trial[f"nDCG@{K}"])["settings"], trials


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=GRIDS, action="append", help="may be given again")
    parser.add_argument("--chosen", action="store_true", help="the first of each grid, no search")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=pathlib.Path, help="write every figure there")
    arguments = parser.parse_args()
    split, record, lines = Split(), {}, []
    for name in arguments.only or GRIDS:
        chosen, trials = (GRIDS[name][0], []) if arguments.chosen else search(split, name)
        runs = []
        for seed in range(arguments.seeds):
            runs.append(split.tested(name, chosen, seed))
            console.print(name, f"seed {seed}", json.dumps(runs[-1]), highlight=False)
        record[name] = {"chosen": chosen, "validation": trials, "test": runs}
        cells = [f"{np.mean([run[key] for run in runs]):.4f}" for key in runs[0]]
        spread = np.std([[run[f"HR@{K}"], run[f"nDCG@{K}"]] for run in runs], axis=0)
        console.print(f"{name}: {chosen}", highlight=False)
        lines.append([name, *cells, f"{spread[0]:.4f}/{spread[1]:.4f}"])
        columns = ["", *runs[0], "std"]
    show(f"ML-1M, NCF split, {arguments.seeds} seeds", columns, lines)
    if arguments.json:
        arguments.json.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
