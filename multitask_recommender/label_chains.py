"""Labels that count only with another one: a like without a click is none.

Logs have them (in Tenrec, likes of items that were never clicked), and models that multiply
chances (ESMM) assume that there are none. So the label is made once, before anything reads it, and
is the same to training, evaluation and baselines.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from multitask_recommender.interactions import Interactions
from multitask_recommender.splits import Splits


def restrict_parts(data: Splits, tasks: Mapping[str, Any]) -> Splits:
    """Every part with its labels restricted; what that changes is a warning of their source.

    tasks: their settings by label, of which some name in `only_with` the label that they need.
    """
    chains = {label: getattr(settings, "only_with", None) for label, settings in tasks.items()}
    only_with = {label: needed for label, needed in chains.items() if needed is not None}
    if not only_with:
        return data
    parts = data.train, data.validation, data.test, data.fold_in
    source = parts[0].source
    warnings = [_told(label, needed, parts) for label, needed in only_with.items()]
    source = dataclasses.replace(source, warnings=(*source.warnings, *filter(None, warnings)))
    oracle = _restricted(parts[0].oracle, only_with)
    train, validation, test, fold_in = (
        dataclasses.replace(restrict(part, only_with), source=source, oracle=oracle)
        for part in parts
    )
    return dataclasses.replace(data, train=train, validation=validation, test=test, fold_in=fold_in)


def restrict(rows: Interactions, only_with: Mapping[str, str]) -> Interactions:
    """A label in `only_with` becomes 1 where it and all that it needs are 1.

    It is observed where that is known: where all of them are, or one of them is known to be 0.
    only_with: by label, the label that it needs; without rings.
    """
    labels, observed = dict(rows.labels), dict(rows.observed)
    for label in only_with:
        chain = _chain(label, only_with)
        known = np.array([rows.is_observed(name) for name in chain])
        values = np.array([rows.labels[name] for name in chain])
        is_one = (known & (values == 1)).all(axis=0)
        is_zero = (known & (values == 0)).any(axis=0)
        labels[label] = is_one.astype(np.float32)
        observed[label] = is_one | is_zero
    return dataclasses.replace(rows, labels=labels, observed=observed)


def count_without(rows: Interactions, label: str, needed: str) -> int:
    """How many rows have a label of 1 while the one that it needs is known to be 0."""
    is_zero = rows.is_observed(needed) & (rows.labels[needed] == 0)
    return int(np.count_nonzero(rows.positives(label) & is_zero))


def _chain(label: str, only_with: Mapping[str, str]) -> list[str]:
    """The label, what it needs, what that needs, and so on."""
    chain = [label]
    while chain[-1] in only_with:
        chain.append(only_with[chain[-1]])
    return chain


def _restricted(oracle: Any, only_with: Mapping[str, str]) -> Any:
    """The best scores of the restricted labels; None of an oracle that knows but the given ones."""
    if not hasattr(oracle, "restricted"):
        return None
    return oracle.restricted({label: _chain(label, only_with) for label in only_with})


def _told(label: str, needed: str, parts: tuple[Interactions, ...]) -> str | None:
    number = sum(count_without(part, label, needed) for part in parts)
    if not number:
        return None
    ones = sum(int(np.count_nonzero(part.positives(label))) for part in parts)
    return (
        f"{number:,} of {ones:,} rows with {label} have no {needed}: they count as no {label} "
        f"(tasks.{label}.only_with)."
    )
