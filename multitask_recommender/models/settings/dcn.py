"""Settings of models/dcn.py."""

from typing import Literal

from pydantic import Field, model_validator

from multitask_recommender.models.settings._inputs import Units
from multitask_recommender.models.settings._ranking_only import RankingOnlySettings


class Settings(RankingOnlySettings):
    cross_layers: int = Field(2, ge=0, le=64, description="How many; 0: the deep layers alone.")
    projection_dim: Units | None = Field(
        None, description="Rank of a cross layer's matrix; by default it is full."
    )
    deep_layers: list[Units] = Field([], description="Units of ReLU layers; none: no deep part.")
    structure: Literal["parallel", "stacked"] = Field(
        "parallel", description="The deep layers read the inputs, or what the cross layers make."
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="Of the deep layers.")

    @model_validator(mode="after")
    def _there_are_layers(self) -> "Settings":
        if not self.cross_layers and not self.deep_layers:
            raise ValueError("cross_layers is 0 and there are no deep_layers: give either.")
        return self
