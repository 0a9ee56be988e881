"""Settings of sharing/shared_bottom.py."""

from typing import Annotated

from pydantic import Field

from multitask_recommender.settings import Settings as Base

Units = Annotated[int, Field(gt=0, le=65_536)]


class Settings(Base):
    hidden_layers: list[Units] = Field(
        [64], description="Units of the bottom's layers; none: heads are linear in the pair."
    )
    dropout: float = Field(0.0, ge=0, lt=1)
