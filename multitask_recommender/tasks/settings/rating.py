"""Settings of tasks/rating.py."""

from multitask_recommender.tasks.settings._task import LabelTaskSettings


class Settings(LabelTaskSettings):
    pass
