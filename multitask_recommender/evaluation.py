"""A stand-in for evaluation.py until its branch is merged: take the other side."""

from multitask_recommender import settings


class Settings(settings.Settings):
    pass
