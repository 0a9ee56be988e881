"""Settings of weighting/uncertainty.py: none, the variances being learnt."""

from multitask_recommender.settings import Settings as Base


class Settings(Base):
    pass
