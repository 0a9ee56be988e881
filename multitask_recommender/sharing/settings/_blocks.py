"""What the settings of several sharings have in common."""

from typing import Annotated

from pydantic import Field, model_validator

from multitask_recommender.settings import Settings

Units = Annotated[int, Field(gt=0, le=65_536)]

NO_LAYERS = "none: heads are linear in the pair."
TOWER_LAYERS = "Units of each task's own layers, between what is shared and its head."


class BlockSettings(Settings):
    """Of a block with `hidden_layers`, whose heads may read the pair beside them."""

    linear: bool = Field(
        True,
        description="Heads also have a linear term of the pair, which begins as the dot product. "
        "false: they read the hidden layers alone.",
    )

    @model_validator(mode="after")
    def _heads_read_something(self) -> "BlockSettings":
        if not self.linear and not self.hidden_layers:
            raise ValueError("linear is false, so heads read hidden_layers alone: give at least 1.")
        return self
