"""ESMM against a head of clicked rows alone: `python benchmarks/esmm_entire_space.py`.

Rows in the form of Tenrec's ctr_1m, made with known chances. What is to be predicted is a click
*and* a like (CTCVR), over all exposures. Ma et al., SIGIR 2018: ESMM learns the product over the
entire space; the usual head learns P(like | click) from clicked rows, and its product with P(click)
is judged on rows unlike those. Beside both, one head for the product, and the oracle. The same
tables, layers, epochs; scored once on test. Intervals of AUC differences are paired, 95 %, by
DeLong's method with users as units.
"""

import argparse
import dataclasses
import functools

import numpy as np
from _timing import ROOT, show
from _trained import trained

from multitask_recommender import config, registry
from multitask_recommender.evaluation.scorer import rank_rows
from multitask_recommender.experiment import Experiment
from multitask_recommender.metrics import intervals, labels

RECIPE = ROOT / "experiments" / "tenrec_joint.yaml"
ESMM, ONE_HEAD, CLICKED = "esmm", "one head for the product", "likes of clicked rows"
LINEAR = "sharing={name: shared_bottom, hidden_layers: []}"
RUNS = {
    ESMM: ["sharing={name: esmm, hidden_layers: []}", "tasks.like.only_with=click"],
    ONE_HEAD: [LINEAR, "tasks.like.only_with=click"],
    CLICKED: [LINEAR, "tasks.like.observed_where=click"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="over those of the recipe"
    )
    overrides = ["tasks.retrieval=null", "training.monitor=auto", *parser.parse_args().overrides]
    synthetic = registry.load("datasets", "synthetic")
    synthetic.read = functools.lru_cache(synthetic.read)  # the same rows for all: drawn once
    predicted = {}
    for name, own in RUNS.items():
        experiment = Experiment(config.load(RECIPE, [*overrides, *own]))
        model, _ = trained(experiment, experiment.data.train)
        chances = rank_rows(model.scorer(), experiment.data.test)
        is_conditional = name == CLICKED
        predicted[name] = chances["like"] * (chances["click"] if is_conditional else 1.0)
    test = experiment.data.test
    predicted["oracle"] = rank_rows(experiment.data.train.oracle, test)["click_and_like"]
    plain = dataclasses.replace(test, observed={})
    targets = (plain.labels["click"] * plain.labels["like"]).astype(np.float32)
    rows = []
    for name, chances in predicted.items():
        found = intervals.auc_difference_interval(
            targets, predicted[ESMM], chances, groups=test.user_ids
        )
        rows.append(
            [
                name,
                f"{labels.auc(targets, chances):.4f}",
                f"{labels.expected_calibration_error(targets, chances):.4f}",
                f"{chances.mean():.4f}",
                "-" if name == ESMM else f"{found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]",
            ]
        )
    show(
        f"{experiment.data.train.source.name}: click and like, {len(test):,} test rows, "
        f"rate {targets.mean():.4f}",
        ["", "AUC", "ECE", "mean chance", "ESMM minus it"],
        rows,
    )


if __name__ == "__main__":
    main()
