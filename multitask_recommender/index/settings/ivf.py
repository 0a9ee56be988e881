"""Settings of index/ivf.py."""

from typing import Any

from pydantic import Field

from multitask_recommender.index.settings._leaves import LeafSettings


class Settings(LeafSettings):
    seed: int = Field(0, ge=0, description="Of the clusters that leaves are.")

    @property
    def built_with(self) -> tuple[Any, ...]:
        return (self.leaves, self.seed)
