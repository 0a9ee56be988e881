"""The best scores there can be of the rows that data.py makes: those of the planted numbers."""

from collections.abc import Mapping

import numpy as np

from _full_scale import data
from multitask_recommender.datasets import synthetic
from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import ITEM_ID, USER_ID

_QUERIES = 16  # whose chances of all items are computed at once: memory


class Planted:
    """The oracle of the made-up rows, over the ids that the split gave to users and items.

    It does not know what a user clicked last, but what he likes and what comes after what.
    """

    def __init__(self, fraction: float, train: Interactions) -> None:
        self._oracle = synthetic.oracle(data.settings(fraction))
        self._users = np.insert(np.asarray(train.users.vocabulary), 0, 0)  # raw id of each
        self._items = np.insert(np.asarray(train.items.vocabulary), 0, 0)

    def score_block(self, queries: Mapping[str, np.ndarray]) -> np.ndarray:
        """The log of the chance [Q, I] of each item to be clicked; column c is id c + 1."""
        users = self._users[queries[USER_ID]]
        parts = np.split(users, range(_QUERIES, len(users), _QUERIES))
        scores = [self._oracle.score_block({USER_ID: part}) for part in parts]
        return np.concatenate([part[:, self._items[1:] - 1] for part in scores])

    def rank(self, queries: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        raw = {USER_ID: self._users[queries[USER_ID]], ITEM_ID: self._items[queries[ITEM_ID]]}
        return self._oracle.rank(raw)
