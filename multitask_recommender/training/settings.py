"""Settings of the training loop."""

from typing import Literal

from pydantic import Field

from multitask_recommender import settings


class Settings(settings.Settings):
    epochs: int = Field(30, gt=0, description="Passes over the training data.")
    batch_size: int = Field(4096, gt=0, description="Rows of a step.")
    learning_rate: float = Field(0.1, gt=0, description="Of the first step.")
    optimizer: Literal["adagrad", "adam", "lazy_adam"] = Field(
        "adagrad", description="The cost of a step of adam grows with the embedding tables."
    )
    seed: int = Field(42, description="Of initial weights, order of rows, drawn negatives.")
    strategy: Literal["auto", "none"] = Field(
        "auto", description="auto: every GPU that is visible; none: one device."
    )
