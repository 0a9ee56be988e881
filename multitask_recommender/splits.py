"""A stand-in for splits.py until its branch is merged: take the other side."""

from typing import Literal

from multitask_recommender import settings


class Settings(settings.Settings):
    name: Literal["random", "time", "leave_last_out", "given"] = "random"
    seed: int = 42
