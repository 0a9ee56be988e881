"""What every task can be told, and what it asks of the data."""

from typing import ClassVar

from pydantic import Field

from multitask_recommender.errors import suggestion
from multitask_recommender.interactions import Interactions
from multitask_recommender.settings import Settings


class TaskSettings(Settings):
    predicts_label: ClassVar[bool] = True

    weight: float = Field(1.0, ge=0, description="Factor of the task's mean loss in the total.")


def missing_label(train: Interactions, label: str, where: str) -> list[str]:
    """A sentence if the data has no such label, or no value of it to learn from."""
    if label not in train.labels:
        known = ", ".join(train.labels) or "none"
        return [
            f"{where} needs the label '{label}', which {train.source.name} does not have."
            f"{suggestion(label, train.labels)} Labels here: {known}."
        ]
    if not train.is_observed(label).any():
        return [f"{where} needs the label '{label}', which no training row holds."]
    return []


def not_binary(train: Interactions, label: str, where: str) -> list[str]:
    """A sentence if the label is missing, or has another value than 0 and 1."""
    faults = missing_label(train, label, where)
    if faults:
        return faults
    values = train.labels[label][train.is_observed(label)]
    others = values[(values != 0) & (values != 1)]
    if not len(others):
        return []
    return [
        f"{where} needs a label of 0 and 1, but '{label}' of {train.source.name} has the value "
        f"{others[0]:g}."
    ]
