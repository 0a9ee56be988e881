"""Settings of sharing/shared_bottom.py."""

from pydantic import Field

from multitask_recommender.sharing.settings._blocks import (
    NO_LAYERS,
    TOWER_LAYERS,
    BlockSettings,
    Units,
)


class Settings(BlockSettings):
    hidden_layers: list[Units] = Field(
        [64], description=f"Units of the bottom's layers; {NO_LAYERS}"
    )
    tower_layers: list[Units] = Field([], description=TOWER_LAYERS)
    dropout: float = Field(0.0, ge=0, lt=1)
