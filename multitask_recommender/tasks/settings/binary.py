"""Settings of tasks/binary.py."""

from multitask_recommender.tasks.settings._task import TaskSettings


class Settings(TaskSettings):
    pass
