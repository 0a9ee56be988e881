"""Settings of models/sr_gnn.py."""

from pydantic import Field

from multitask_recommender.models.settings._session import SessionSettings


class Settings(SessionSettings):
    steps: int = Field(1, gt=0, le=16, description="Of the gated graph layer.")
