"""Settings of sharing/ple.py."""

from pydantic import Field

from multitask_recommender.sharing.settings._blocks import (
    NO_LAYERS,
    TOWER_LAYERS,
    BlockSettings,
    Units,
)


class Settings(BlockSettings):
    levels: int = Field(1, gt=0, le=64, description="Of extraction; one level is CGC.")
    task_experts: int = Field(1, gt=0, le=1024, description="Each task's own, in each level.")
    shared_experts: int = Field(2, gt=0, le=1024, description="In each level.")
    hidden_layers: list[Units] = Field(
        [64], description=f"Units of each expert's layers; {NO_LAYERS}"
    )
    tower_layers: list[Units] = Field([], description=TOWER_LAYERS)
    dropout: float = Field(0.0, ge=0, lt=1)
