"""Settings of models/two_tower.py."""

import math
from typing import Literal

from pydantic import Field, model_validator

from multitask_recommender.models.settings._inputs import INPUTS, Inputs, InputSettings, Units
from multitask_recommender.settings import Settings as Base

_AS_RETRIEVAL = " By default as retrieval."


class Ranking(Base):
    """How the ranking tasks see users and items, where it is not as retrieval does."""

    dimension: int | None = Field(
        None, gt=0, le=65_536, description="By default half of embedding_dimension."
    )
    user: Inputs | None = Field(None, min_length=1, description=INPUTS + _AS_RETRIEVAL)
    item: Inputs | None = Field(None, min_length=1, description=INPUTS + _AS_RETRIEVAL)
    dropout: float = Field(0.0, ge=0, lt=1, description="Of the product of user and item.")
    l2: float = Field(0.0, ge=0, description="Weight decay of the vectors that a batch uses.")
    bias_l2: float = Field(0.005, ge=0, description="Weight decay of user and item biases.")


class Settings(InputSettings):
    embedding_dimension: int = Field(64, gt=0, le=65_536)
    embeddings: Literal["shared", "separate"] = Field(
        "shared",
        description="shared: one table a side and input for all tasks; ranking tasks read a "
        "projection to `ranking.dimension`. separate: ranking tasks have tables of their own.",
    )
    hidden_layers: list[Units] = Field([], description="ReLU layers of each tower, after the sum.")
    normalise: bool = Field(
        False, description="Retrieve by the cosine of user and item; try a temperature of 0.1."
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="Of the query, in training.")
    history_dropout: float = Field(0.0, ge=0, lt=1, description="Of what a user has met.")
    l2: float = Field(0.0, ge=0, description="Weight decay of the rows that a batch uses.")
    l2_power: float = Field(
        0.5, ge=0, le=1, description="A row is charged by its number of events to this power."
    )
    initial_stddev: float = Field(0.05, gt=0)
    ranking: Ranking | None = None

    @property
    def ranking_inputs(self) -> tuple[Inputs, Inputs]:
        """What ranking tasks read of users and of items."""
        if self.ranking is None:
            return self.user, self.item
        return self.ranking.user or self.user, self.ranking.item or self.item

    @property
    def ranking_dimension(self) -> int:
        """E, of the vectors that ranking tasks read."""
        if self.ranking is None:
            return self.embedding_dimension
        return self.ranking.dimension or math.ceil(self.embedding_dimension / 2)

    @property
    def ranks_apart(self) -> bool:
        """Whether ranking tasks share nothing with retrieval."""
        return self.embeddings == "separate"

    @model_validator(mode="after")
    def _separate_tables_are_described(self) -> "Settings":
        if self.embeddings == "separate" and self.ranking is None:
            raise ValueError("separate embeddings need `ranking`, the tables of ranking tasks.")
        if self.embeddings == "shared" and self.ranking_dimension > self.embedding_dimension:
            raise ValueError(
                f"ranking.dimension {self.ranking_dimension} exceeds embedding_dimension "
                f"{self.embedding_dimension}, of which it is a projection: embeddings are shared."
            )
        return self

    @property
    def named_inputs(self) -> dict[str, Inputs]:
        ranking = self.ranking or Ranking()
        own = {"ranking.user": ranking.user or [], "ranking.item": ranking.item or []}
        return super().named_inputs | own
