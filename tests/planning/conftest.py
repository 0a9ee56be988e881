"""Configs of models and sharings, and data of the shape that they ask for."""

from collections.abc import Callable

import pytest

from multitask_recommender import config
from multitask_recommender.config import Config
from multitask_recommender.errors import ConfigError

LABELS = {"click": {}, "like": {"only_with": "click"}}


@pytest.fixture
def parsed() -> Callable[..., Config]:
    """A config of a model with all the tasks that it takes."""

    def parsed(model: str, sharing: str = "shared_bottom", **settings: object) -> Config:
        chosen = {
            "model": {"name": model, "embedding_dimension": 4, **settings},
            "sharing": sharing,
        }
        try:
            return config.parse({**chosen, "tasks": {"retrieval": {}, **LABELS}})
        except ConfigError:
            return config.parse({**chosen, "tasks": LABELS})

    return parsed
