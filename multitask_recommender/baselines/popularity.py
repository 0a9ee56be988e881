"""Popularity: the same list for everybody, by training interactions that were positive.

Labels are predicted by the item's mean, shrunken towards the mean of all items.
"""

from collections.abc import Mapping
from typing import Annotated

import numpy as np
import pydantic

from multitask_recommender import columns, settings
from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import ITEM_ID, USER_ID


class Settings(settings.Settings):
    # An item's mean counts as much as the overall mean once it has this many observations.
    shrinkage: Annotated[float, pydantic.Field(ge=0)] = 5.0


class Popularity:
    def __init__(self, scores: np.ndarray, means: Mapping[str, np.ndarray]) -> None:
        self._scores = scores  # float32 [I]
        self._means = means  # float32 [I + 1] by label; 0 is the unknown item

    def score_block(self, queries: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.tile(self._scores, (len(queries[USER_ID]), 1))

    def rank(self, queries: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {label: means[queries[ITEM_ID]] for label, means in self._means.items()}


def fit(
    settings: Settings, train: Interactions, seed: int, positives: np.ndarray | None = None
) -> Popularity:
    """Counts the positives (a mask of rows [N], all rows if None); labels are from all rows.

    The seed has no effect.
    """
    counts = columns.count(train.item_ids, train.num_items + 1, positives)
    means = {label: _means(train, label, settings.shrinkage) for label in train.labels}
    observed = {label: mean for label, mean in means.items() if mean is not None}
    return Popularity(counts[1:].astype(np.float32), observed)


def _means(train: Interactions, label: str, shrinkage: float) -> np.ndarray | None:
    """Shrunken means [I + 1] of a label; None where it is never observed."""
    values, observed = train.labels[label], train.observed.get(label)
    counts = columns.count(train.item_ids, train.num_items + 1, observed)
    if not counts.any():
        return None
    sums = columns.sums(train.item_ids, values, train.num_items + 1, observed)
    overall = sums.sum() / counts.sum()
    # Without shrinkage, items without observations still need an answer.
    weight = np.where(counts + shrinkage > 0, counts + shrinkage, 1.0)
    means = np.where(counts + shrinkage > 0, (sums + shrinkage * overall) / weight, overall)
    return means.astype(np.float32)
