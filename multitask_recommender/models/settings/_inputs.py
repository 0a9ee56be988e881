"""What a model reads of users, of items and of the event."""

from typing import Annotated

from pydantic import Field, model_validator

from multitask_recommender.errors import suggestion
from multitask_recommender.interactions import Interactions
from multitask_recommender.settings import Settings

Inputs = list[str]
Units = Annotated[int, Field(gt=0, le=65_536)]

INPUTS = "What is read: id, history (who was met in training), features by name."


class InputSettings(Settings):
    """Inputs by side, each of them a vector."""

    user: Inputs = Field(["id"], min_length=1, description=INPUTS)
    item: Inputs = Field(["id"], min_length=1, description=INPUTS)
    context: Inputs = Field(
        [], description="Features of the event, by name, that ranking tasks read too."
    )

    @property
    def named_inputs(self) -> dict[str, Inputs]:
        """Inputs by the key that names them; its last word is the side."""
        return {"user": self.user, "item": self.item, "context": self.context}

    @model_validator(mode="after")
    def _no_input_is_named_twice(self) -> "InputSettings":
        for key, inputs in self.named_inputs.items():
            if len(set(inputs)) < len(inputs):
                raise ValueError(f"{key} names an input twice: {', '.join(inputs)}.")
        return self

    def missing_from(self, train: Interactions, where: str) -> list[str]:
        known_inputs = {
            "user": ["id", "history", *train.users.features],
            "item": ["id", "history", *train.items.features],
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
