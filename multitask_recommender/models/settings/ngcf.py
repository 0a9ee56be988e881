"""Settings of models/ngcf.py."""

from pydantic import Field

from multitask_recommender.models.settings._graph import GraphSettings
from multitask_recommender.models.settings._inputs import Units


class Settings(GraphSettings):
    layers: list[Units] = Field(
        [64, 64, 64], min_length=1, max_length=16, description="Units of each propagation."
    )
    message_dropout: float = Field(
        0.1, ge=0, lt=1, description="Of the coordinates that a propagation gives, in training."
    )
    node_dropout: float = Field(
        0.0, ge=0, lt=1, description="Of whole nodes: what they send is lost, in training."
    )
