"""Sweeps: how much a recipe's settings matter, and which are good, judged on validation.

Plan     a recipe, and what is varied: checked before there is data
run      trains what the plan asks for; writes and shows what was found
"""

from multitask_recommender.sweeps.plan import Asked, Plan
from multitask_recommender.sweeps.sweep import run

__all__ = ["Asked", "Plan", "run"]
