"""Labels from which nothing, or not what is meant, can be learnt."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from multitask_recommender import columns
from multitask_recommender.interactions import Interactions
from multitask_recommender.label_chains import count_without
from multitask_recommender.traps._trap import Trap

if TYPE_CHECKING:
    from multitask_recommender.config import Config

CLICK = "click"  # what every other label comes with, where a task does not say it (`only_with`)


def learnt(train: Interactions, config: "Config") -> dict[str, str]:
    """The labels that training reads, each with the key of the config that asks for it."""
    labels = {}
    for name, task in config.tasks.items():
        positive = getattr(task.settings, "positive", None)
        if getattr(task.settings, "weight", 1.0) == 0:
            continue
        if name in train.labels:
            labels[name] = f"tasks.{name}"
        elif positive in train.labels:
            labels.setdefault(positive, f"tasks.{name}.positive")
    return labels


def find(train: Interactions, config: "Config") -> list[Trap]:
    labels = learnt(train, config)
    constant = (_constant(train, config, label, where) for label, where in labels.items())
    return [trap for trap in constant if trap] + _without_click(train, config)


def _constant(train: Interactions, config: "Config", label: str, where: str) -> Trap | None:
    task = config.tasks.get(label)
    among = getattr(task and task.settings, "observed_where", None)
    parent = getattr(task and task.settings, "only_with", None)
    number, found = 0, set()
    for part in _parts(train):
        values = _learnt_values(part, label, among, parent)
        number += len(values)
        found |= {values.min(), values.max()} if len(values) else set()
    if len(found) != 1:
        return None
    (value,) = found
    is_positive = where.endswith(".positive")  # of retrieval, for which a constant 1 will do
    if is_positive and value != 0:
        return None
    remedy = "name another label there" if is_positive else f"take the task out ({where}=null)"
    held = f"training rows that hold '{label}'" + (f" where '{among}' is 1" if among else "")
    if value == 0:
        told = f"{where}: none of the {number:,} {held} is 1"
        return Trap("never_positive", "error", f"{told}, so nothing can be learnt: {remedy}.")
    told = f"{where}: all {number:,} {held} have the value {value:g}"
    return Trap("constant_label", "error", f"{told}, so nothing can be learnt: {remedy}.")


def _parts(train: Interactions) -> Iterator[Interactions]:
    """Some rows at a time: masks of all of them, several at once, are as large as the labels."""
    return (train.take(block) for block in columns.blocks(len(train)))


def _learnt_values(
    rows: Interactions, label: str, among: str | None, parent: str | None
) -> np.ndarray:
    """What is learnt of a label, where it is observed."""
    chosen = rows.is_observed(label)
    if among in rows.labels:
        chosen = chosen & rows.positives(among)
    values = rows.labels[label][chosen]
    if parent in rows.labels:  # the label that is learnt is that of both
        values = values * rows.positives(parent)[chosen]
    return values


def _without_click(train: Interactions, config: "Config") -> list[Trap]:
    """Rows that have a label without the one that it is said, or thought, to come with."""
    traps = []
    for label in train.labels:
        task = config.tasks.get(label)
        said = getattr(task and task.settings, "only_with", None)
        parent = said or CLICK
        if label == parent or parent not in train.labels or not _is_binary(train, label):
            continue
        count = sum(count_without(part, label, parent) for part in _parts(train))
        if not count:
            continue
        positives = sum(int(np.count_nonzero(part.positives(label))) for part in _parts(train))
        sentence = f"{count:,} of {positives:,} training rows with {label} = 1 have {parent} = 0"
        if said:
            sentence += (
                f", though tasks.{label}.only_with is {parent}: they are learnt as {label} = 0. "
                "Take only_with out if they count."
            )
        else:
            sentence += f": '{label}' does not imply '{parent}', as ESMM would assume."
        traps.append(Trap("label_without_click", "warning" if said else "note", sentence))
    return traps


def _is_binary(train: Interactions, label: str) -> bool:
    def of(rows: Interactions) -> bool:
        values = rows.labels[label]
        return bool(((values == 0) | (values == 1) | ~rows.is_observed(label)).all())

    return all(map(of, _parts(train)))
