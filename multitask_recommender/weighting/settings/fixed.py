"""Settings of weighting/fixed.py: none, the weights being those of the tasks."""

from multitask_recommender.settings import Settings as Base


class Settings(Base):
    pass
