"""Settings of tasks/binary.py."""

from typing import Any

from pydantic import Field

from multitask_recommender.interactions import Interactions
from multitask_recommender.tasks.settings._task import TaskSettings, not_binary


class Settings(TaskSettings):
    only_with: str | None = Field(
        None,
        description="A label: this one counts as 1 only where that one is 1 too, in training, "
        "evaluation and baselines. like with click: a like without a click is none.",
    )
    observed_where: str | None = Field(
        None,
        description="A label: only rows where it is 1 are learnt from; all rows are evaluated.",
    )

    def missing_from(self, train: Interactions, where: str) -> list[str]:
        faults = not_binary(train, where.rpartition(".")[2], where)
        for key in ("only_with", "observed_where"):
            label = getattr(self, key)
            if label is not None:
                faults += not_binary(train, label, f"{where}.{key}")
        return faults

    def conflicts(self, config: Any) -> list[str]:
        """A ring of `only_with`: said once, of the task that comes first."""
        names = [name for name, task in config.tasks.items() if task.settings is self]
        ring = _ring(names[0], {name: task.settings for name, task in config.tasks.items()})
        if not ring or ring[0] != min(ring, key=list(config.tasks).index):
            return []
        return [
            f"tasks.{ring[0]}.only_with goes round in a ring ({' -> '.join([*ring, ring[0]])}): "
            "let one of them stand alone, click say."
        ]


def _ring(first: str, settings: dict[str, Any]) -> list[str]:
    """The labels of a chain that leads from the first back to it; none if it does not."""
    chain = [first]
    while (label := getattr(settings.get(chain[-1]), "only_with", None)) is not None:
        if label == first:
            return chain
        if label in chain:
            break
        chain.append(label)
    return []
