"""What a model reads of users, of items and of the event."""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from multitask_recommender.errors import suggestion
from multitask_recommender.interactions import Interactions
from multitask_recommender.settings import Settings
from multitask_recommender.tasks.settings._task import not_binary

Inputs = list[str]
Units = Annotated[int, Field(gt=0, le=65_536)]

INPUTS = (
    "What is read: id, history (who was met in training; for retrieval, as its positive), recent "
    "(of users: what was met before the event, the latest items), features by name."
)


class IdSettings(Settings):
    """Of models that read nothing but which user and which item it is."""

    def inputs_read(self) -> dict[str, set[str]]:
        return {"user": {"id"}, "item": {"id"}}


class SideSettings(Settings):
    """Inputs by side, each of them a vector."""

    kinds: ClassVar[Mapping[str, Sequence[str]]] = {"user": ["id"], "item": ["id"]}  # but features

    user: Inputs = Field([], description=INPUTS)
    item: Inputs = Field(["id"], min_length=1, description=INPUTS)
    context: Inputs = Field(
        [], description="Features of the event, by name, that ranking tasks read too."
    )

    @property
    def named_inputs(self) -> dict[str, Inputs]:
        """Inputs by the key that names them, whose last word is the side."""
        return {"user": self.user, "item": self.item, "context": self.context}

    def inputs_read(self) -> dict[str, set[str]]:
        sides: dict[str, set[str]] = {}
        for key, names in self.named_inputs.items():
            sides.setdefault(key.rpartition(".")[2], set()).update(names)
        return sides

    @model_validator(mode="after")
    def _no_input_is_named_twice(self) -> "SideSettings":
        for key, inputs in self.named_inputs.items():
            if len(set(inputs)) < len(inputs):
                raise ValueError(f"{key} names an input twice: {', '.join(inputs)}.")
        return self

    def missing_from(self, train: Interactions, where: str) -> list[str]:
        known_inputs = {
            "user": [*self.kinds["user"], *train.users.features],
            "item": [*self.kinds["item"], *train.items.features],
            "context": [*train.context],
        }
        faults = []
        for key, names in self.named_inputs.items():
            known = known_inputs[key.rpartition(".")[2]]
            faults += [
                f"{where}.{key} names '{name}', which the data does not have."
                f"{suggestion(name, known)} Inputs here: {', '.join(known) or 'none'}."
                for name in names
                if name not in known
            ]
        return faults


class InputSettings(SideSettings):
    """With what was met in training, and of late."""

    kinds = {"user": ["id", "history", "recent"], "item": ["id", "history"]}

    user: Inputs = Field(["id"], min_length=1, description=INPUTS)
    recent_length: int = Field(10, gt=0, le=10_000, description="Items that `recent` tells.")
    recent_positive: str | None = Field(
        None,
        description="The label whose 1 makes an event one that `recent` tells; by default that of "
        "retrieval, if there is one.",
    )

    @property
    def reads_recent(self) -> bool:
        return any("recent" in names for names in self.named_inputs.values())

    def missing_from(self, train: Interactions, where: str) -> list[str]:
        faults = []
        if self.reads_recent and train.timestamps is None:
            faults.append(
                f"{where}.user names 'recent', but {train.source.name} has no timestamps: "
                "which events come before another is not known."
            )
        if self.reads_recent and self.recent_positive is not None:
            faults += not_binary(train, self.recent_positive, f"{where}.recent_positive")
        return faults + super().missing_from(train, where)
