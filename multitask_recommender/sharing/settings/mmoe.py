"""Settings of sharing/mmoe.py."""

from pydantic import Field

from multitask_recommender.sharing.settings._blocks import (
    NO_LAYERS,
    TOWER_LAYERS,
    BlockSettings,
    Units,
)


class Settings(BlockSettings):
    experts: int = Field(4, gt=0, le=1024, description="How many there are.")
    hidden_layers: list[Units] = Field(
        [64], description=f"Units of each expert's layers; {NO_LAYERS}"
    )
    tower_layers: list[Units] = Field([], description=TOWER_LAYERS)
    dropout: float = Field(0.0, ge=0, lt=1)
