"""Settings of tasks/rating.py."""

from multitask_recommender.tasks.settings._task import TaskSettings


class Settings(TaskSettings):
    pass
