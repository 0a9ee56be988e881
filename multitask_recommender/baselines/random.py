"""Random: what no knowledge at all is worth. A user's scores depend on seed and user only."""

from collections.abc import Mapping

import numpy as np

from multitask_recommender import settings
from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import ITEM_ID, USER_ID

_PRIMES = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB], np.uint64)


class Settings(settings.Settings):
    """Nothing to set."""


class Random:
    def __init__(self, seed: int, num_items: int, values: Mapping[str, np.ndarray]) -> None:
        self._seed = seed
        self._num_items = num_items
        self._values = values  # the observed training values [n] by label

    def score_block(self, queries: Mapping[str, np.ndarray]) -> np.ndarray:
        """Uniform in [0, 1)."""
        users = queries[USER_ID][:, None]
        return _uniform(self._seed, users, np.arange(1, self._num_items + 1))

    def rank(self, queries: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """For each pair and label, the value of a training row drawn at random."""
        predictions = {}
        for place, (label, values) in enumerate(self._values.items(), start=1):
            draws = _uniform(self._seed + place, queries[USER_ID], queries[ITEM_ID])
            predictions[label] = values[(draws.astype(np.float64) * len(values)).astype(np.int64)]
        return predictions


def fit(
    settings: Settings, train: Interactions, seed: int, positives: np.ndarray | None = None
) -> Random:
    """Keeps the label values; which rows are positives has no effect."""
    values = {
        label: all_values[train.observed[label]] if label in train.observed else all_values
        for label, all_values in train.labels.items()  # without a copy where all are observed
    }
    return Random(seed, train.num_items, {label: v for label, v in values.items() if len(v)})


def _uniform(seed: int, users: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Uniform float32 in [0, 1) for pairs: the 24 upper bits of splitmix64 of seed, user, item.

    A hash and not a generator, so that no block size, thread or order of users changes a score.
    """
    stream = _mix(np.uint64(seed) + _PRIMES[0] * (users.astype(np.uint64) + np.uint64(1)))
    bits = _mix(stream + _PRIMES[0] * items.astype(np.uint64))
    return (bits >> np.uint64(40)).astype(np.float32) * np.float32(2**-24)


def _mix(values: np.ndarray) -> np.ndarray:
    values = (values ^ (values >> np.uint64(30))) * _PRIMES[1]
    values = (values ^ (values >> np.uint64(27))) * _PRIMES[2]
    return values ^ (values >> np.uint64(31))
