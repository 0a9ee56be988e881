"""Settings of sharing/separate.py."""

from pydantic import Field

from multitask_recommender.sharing.settings._blocks import NO_LAYERS, BlockSettings, Units


class Settings(BlockSettings):
    hidden_layers: list[Units] = Field(
        [64], description=f"Units of each task's own layers; {NO_LAYERS}"
    )
    dropout: float = Field(0.0, ge=0, lt=1)
