"""What the settings of models share that only rank: they predict labels of given pairs."""

from typing import Any

from pydantic import Field

from multitask_recommender.models.settings._inputs import InputSettings


class RankingOnlySettings(InputSettings):
    embedding_dimension: int = Field(32, gt=0, le=65_536)
    history_dropout: float = Field(0.0, ge=0, lt=1, description="Of what a user has met.")
    l2: float = Field(0.0, ge=0, description="Weight decay of the rows that a batch uses.")
    l2_power: float = Field(
        0.5, ge=0, le=1, description="A row is charged by its number of events to this power."
    )
    initial_stddev: float = Field(0.05, gt=0)

    def conflicts(self, config: Any) -> list[str]:
        """`config` is a config.Config."""
        return [
            f"model.name is {config.model.name}, which predicts labels of given pairs and cannot "
            f"retrieve: take tasks.{name} away (tasks.{name}=null), or choose a model that "
            "retrieves, such as two_tower."
            for name, task in config.tasks.items()
            if task.name == "retrieval"
        ]
