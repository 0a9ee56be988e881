"""Settings of tasks/rating.py."""

from multitask_recommender.interactions import Interactions
from multitask_recommender.tasks.settings._task import TaskSettings, missing_label


class Settings(TaskSettings):
    def missing_from(self, train: Interactions, where: str) -> list[str]:
        return missing_label(train, where.rpartition(".")[2], where)
