"""Settings of models/gru4rec.py."""

from pydantic import Field

from multitask_recommender.models.settings._inputs import Units
from multitask_recommender.models.settings._session import SessionSettings


class Settings(SessionSettings):
    layers: list[Units] = Field(
        [64],
        min_length=1,
        max_length=8,
        description="Units of each GRU; where those of the last are not embedding_dimension, a "
        "linear layer brings them there.",
    )
