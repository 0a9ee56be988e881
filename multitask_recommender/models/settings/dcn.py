"""Settings of models/dcn.py."""

from typing import Any, Literal

from pydantic import Field

from multitask_recommender.models.settings._inputs import Units
from multitask_recommender.models.settings._ranking_only import RankingOnlySettings


class Settings(RankingOnlySettings):
    cross_layers: int = Field(
        2,
        ge=0,
        le=64,
        description="0: the deep layers or the sharing block read the inputs as they are.",
    )
    projection_dim: Units | None = Field(
        None, description="Rank of a cross layer's matrix; by default it is full."
    )
    deep_layers: list[Units] = Field([], description="Units of ReLU layers; none: no deep part.")
    structure: Literal["parallel", "stacked"] = Field(
        "parallel", description="The deep layers read the inputs, or what the cross layers make."
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="Of the deep layers.")

    def conflicts(self, config: Any) -> list[str]:
        faults = super().conflicts(config)
        reads_layers = getattr(config.sharing.settings, "hidden_layers", None)
        if not self.cross_layers and not self.deep_layers and not reads_layers:
            faults.append(
                "model.cross_layers is 0, and neither model.deep_layers nor sharing.hidden_layers "
                "has a layer: nothing would cross the inputs. Give one of them."
            )
        return faults
