"""What a dataset is, before anything is trained: numbers, curves, and a page that shows them."""

from multitask_recommender.exploration.explore import explore, read
from multitask_recommender.exploration.overview import Overview, overview

__all__ = ["Overview", "explore", "overview", "read"]
