"""Settings of models/lightgcn.py."""

from pydantic import Field

from multitask_recommender.models.settings._graph import GraphSettings


class Settings(GraphSettings):
    hops: int = Field(3, ge=0, le=16, description="How far vectors are propagated.")
