"""Settings of models/youtube_dnn.py."""

from pydantic import Field

from multitask_recommender.models.settings._inputs import Units
from multitask_recommender.models.settings._session import SessionSettings


class Settings(SessionSettings):
    tied: bool = Field(
        False, description="What a history reads of items are the vectors that are retrieved."
    )
    hidden_layers: list[Units] = Field([128], description="ReLU layers of the tower.")
