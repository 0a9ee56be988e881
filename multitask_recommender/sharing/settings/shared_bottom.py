"""Settings of sharing/shared_bottom.py."""

from pydantic import Field

from multitask_recommender.settings import Settings as Base


class Settings(Base):
    hidden_layers: list[int] = Field(
        [64], description="Units of the bottom's layers; none: heads are linear in the pair."
    )
    dropout: float = Field(0.0, ge=0, lt=1)
