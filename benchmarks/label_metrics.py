"""Speed of label metrics: `python benchmarks/label_metrics.py [--rows 10000000] [--rounds 3]`.

Times each metric beside scikit-learn's on the same drawn rows, of which a quarter is positive, a
million users having ten each. Contenders take turns. scikit-learn has no GAUC, calibration error
or normalised entropy: GAUC is compared with its AUC, user by user, on a hundredth of the rows.
"""

import argparse
from collections.abc import Callable

import numpy as np
from _timing import alternate, console, show

from multitask_recommender.metrics import intervals, labels

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]  # targets, probabilities, users


def draw(rows: int) -> Rows:
    rng = np.random.default_rng(0)
    probabilities = rng.random(rows, dtype=np.float32) ** 3
    targets = (rng.random(rows) < probabilities).astype(np.float32)
    return targets, probabilities, rng.integers(1, max(rows // 10, 2), rows).astype(np.int32)


def ours(drawn: Rows) -> dict[str, Callable[[], object]]:
    targets, chances, users = drawn
    others = np.sqrt(chances)
    return {
        "auc": lambda: labels.auc(targets, chances),
        "grouped_auc": lambda: labels.grouped_auc(targets, chances, users),
        "average_precision": lambda: labels.average_precision(targets, chances),
        "log_loss": lambda: labels.log_loss(targets, chances),
        "normalised_entropy": lambda: labels.normalised_entropy(targets, chances),
        "calibration_error": lambda: labels.expected_calibration_error(targets, chances),
        "accuracy": lambda: labels.accuracy(targets, chances),
        "auc_difference": lambda: intervals.auc_difference_interval(targets, chances, others),
        "auc_difference, users": lambda: intervals.auc_difference_interval(
            targets, chances, others, groups=users
        ),
    }


def scikit_learn(drawn: Rows) -> dict[str, Callable[[], object]]:
    from sklearn import metrics

    targets, chances, users = drawn
    few = users < max(users.max() // 100, 2)
    order = np.argsort(users[few], kind="stable")
    starts = np.flatnonzero(np.diff(users[few][order]))
    blocks = np.split(order, starts + 1)
    few_targets, few_chances = targets[few], chances[few]

    def by_user() -> None:
        for rows in blocks:
            if 0 < few_targets[rows].sum() < len(rows):
                metrics.roc_auc_score(few_targets[rows], few_chances[rows])

    return {
        "auc": lambda: metrics.roc_auc_score(targets, chances),
        "grouped_auc": by_user,
        "average_precision": lambda: metrics.average_precision_score(targets, chances),
        "log_loss": lambda: metrics.log_loss(targets, chances),
        "accuracy": lambda: metrics.accuracy_score(targets, chances > 0.5),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    drawn = draw(arguments.rows)
    theirs = scikit_learn(drawn)
    lines = []
    for name, run in ours(drawn).items():
        contenders = {"ours": run}
        if name in theirs:
            contenders["theirs"] = theirs[name]
        times = alternate(contenders, arguments.rounds)
        times.record(f"label_metrics/{name}", "ours")
        line = [name, f"{times.median('ours'):.2f}", "-", "-"]
        if name in theirs:
            scale = 100 if name == "grouped_auc" else 1  # of a hundredth of the users
            line[2] = f"{times.median('theirs') * scale:.2f}"
            line[3] = f"{times.ratio('theirs', 'ours') * scale:.1f}x"
        lines.append(line)
    show(f"{arguments.rows:,} rows, seconds", ["", "ours", "scikit-learn", "faster"], lines)
    console.print("grouped_auc of scikit-learn: measured on a hundredth of the users, times 100.")


if __name__ == "__main__":
    main()
