"""Settings of index/brute_force.py."""

from multitask_recommender.index.settings._search import IndexSettings


class Settings(IndexSettings):
    """There is nothing to set."""
