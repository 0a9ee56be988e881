"""Settings of tasks/binary.py."""

from multitask_recommender.tasks.settings._task import LabelTaskSettings


class Settings(LabelTaskSettings):
    pass
