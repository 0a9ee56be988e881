"""What the settings of models share that propagate vectors over the graph of training."""

from typing import Any

from pydantic import Field

from multitask_recommender.interactions import Interactions
from multitask_recommender.models.settings._inputs import IdSettings
from multitask_recommender.tasks.settings._task import not_binary


class GraphSettings(IdSettings):
    embedding_dimension: int = Field(64, gt=0, le=65_536)
    initial_stddev: float = Field(0.1, gt=0)
    l2: float = Field(
        0.0,
        ge=0,
        description="Weight decay of the rows that a batch uses, before they are propagated. The "
        "papers' lambda is twice this, with l2_power 1.",
    )
    l2_power: float = Field(
        1.0, ge=0, le=1, description="A row is charged by its number of events to this power."
    )
    normalise: bool = Field(
        False, description="Retrieve by the cosine of propagated vectors: softmax wants it."
    )
    item_bias: bool = Field(
        False, description="Items have a bias in retrieval, which begins at the log of popularity."
    )
    graph_positive: str | None = Field(
        None,
        description="The label whose 1 makes a training event an edge; by default that of "
        "retrieval, if there is one.",
    )

    def conflicts(self, config: Any) -> list[str]:
        if config.training.strategy != "parameter_server":
            return []
        return [
            "training.strategy parameter_server is not for model "
            f"{config.model.name}: each step propagates all nodes, so that every worker would "
            "fetch every table at every step. Use mirrored or multi_worker."
        ]

    def missing_from(self, train: Interactions, where: str) -> list[str]:
        if self.graph_positive is None:
            return []
        return not_binary(train, self.graph_positive, f"{where}.graph_positive")
