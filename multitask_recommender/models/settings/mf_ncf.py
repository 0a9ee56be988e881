"""Settings of models/mf_ncf.py."""

from typing import Literal

from pydantic import Field

from multitask_recommender.models.settings._inputs import IdSettings


class Settings(IdSettings):
    embedding_dimension: int = Field(32, gt=0, le=65_536)
    embeddings: Literal["shared", "separate"] = Field(
        "shared",
        description="shared: one table of users and one of items for all tasks. separate: ranking "
        "tasks have two of their own.",
    )
    l2: float = Field(0.0, ge=0, description="Weight decay of the rows that a batch uses.")
    l2_power: float = Field(
        0.5, ge=0, le=1, description="A row is charged by its number of events to this power."
    )

    @property
    def ranks_apart(self) -> bool:
        """Whether ranking tasks share nothing with retrieval."""
        return self.embeddings == "separate"
