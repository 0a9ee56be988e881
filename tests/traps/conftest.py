"""Events with labels, as splits, and configs that read some of their features."""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from multitask_recommender import config, splits
from multitask_recommender.config import Choice, Config
from multitask_recommender.interactions import Entities, Feature, Interactions
from multitask_recommender.settings import Settings

NUM_USERS, NUM_ITEMS = 7, 11


class Reads(Settings):
    """A model of features by side."""

    names: dict[str, list[str]] = {}

    def inputs_read(self) -> Mapping[str, list[str]]:
        return self.names


@pytest.fixture
def make() -> Callable[..., splits.Splits]:
    """Splits of (part, user, item) rows, part 0, 1, 2, 3 as in schema.ALL_PARTS."""

    def make(
        rows: list[tuple[int, int, int]],
        labels: Mapping[str, list],
        user_features: Mapping[str, Feature] | None = None,
        item_features: Mapping[str, Feature] | None = None,
        raw_items: np.ndarray | None = None,
        **columns: object,
    ) -> splits.Splits:
        parts, users, items = np.array(rows, np.int32).T
        raw_items = np.arange(1, NUM_ITEMS + 1) if raw_items is None else raw_items
        interactions = Interactions(
            users,
            items,
            Entities(np.arange(1, NUM_USERS + 1), NUM_USERS, user_features or {}),
            Entities(raw_items, len(raw_items), item_features or {}),
            labels={name: np.array(values, np.float32) for name, values in labels.items()},
            **columns,
        )
        cut = [interactions.take(parts == part) for part in range(4)]
        return splits.Splits(*cut)

    return make


@pytest.fixture
def configure() -> Callable[..., Config]:
    """A config with these tasks, whose model reads these features: context=["seconds"]."""

    def configure(tasks: Mapping[str, dict], allow: tuple[str, ...] = (), **names: list) -> Config:
        parsed = config.parse({"tasks": tasks, "traps": {"allow": list(allow)}})
        return dataclasses.replace(parsed, model=Choice("reads", Reads(names=names)))

    return configure
