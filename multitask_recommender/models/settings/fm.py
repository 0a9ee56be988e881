"""Settings of models/fm.py."""

from pydantic import Field

from multitask_recommender.models.settings._ranking_only import RankingOnlySettings


class Settings(RankingOnlySettings):
    dropout: float = Field(0.0, ge=0, lt=1, description="Of the products of fields.")
    linear_l2: float = Field(0.0, ge=0, description="Weight decay of the linear weights.")
