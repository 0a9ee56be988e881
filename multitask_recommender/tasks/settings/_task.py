"""What every task can be told."""

from pydantic import Field

from multitask_recommender.settings import Settings


class TaskSettings(Settings):
    weight: float = Field(1.0, ge=0, description="Factor of the task's mean loss in the total.")
