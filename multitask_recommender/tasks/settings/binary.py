"""Settings of tasks/binary.py."""

from multitask_recommender.interactions import Interactions
from multitask_recommender.tasks.settings._task import TaskSettings, not_binary


class Settings(TaskSettings):
    def missing_from(self, train: Interactions, where: str) -> list[str]:
        return not_binary(train, where.rpartition(".")[2], where)
