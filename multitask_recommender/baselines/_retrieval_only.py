"""What baselines share that retrieve and predict no labels."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from multitask_recommender import settings
from multitask_recommender.histories import items_of_users
from multitask_recommender.interactions import Interactions

if TYPE_CHECKING:
    import scipy.sparse


class RetrievalOnlySettings(settings.Settings):
    def conflicts(self, config: Any) -> list[str]:
        """`config` is a config.Config."""
        if any(not task.settings.predicts_label for task in config.tasks.values()):
            return []
        return [
            f"evaluation.baselines.{name} ranks items and predicts no label, but no task "
            "retrieves: take it away, or add tasks.retrieval."
            for name, baseline in config.baselines.items()
            if baseline.settings is self
        ]


class RetrievalOnly:
    def rank(self, queries: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {}


def matrix_of(train: Interactions, positives: np.ndarray | None) -> "scipy.sparse.csr_matrix":
    """Who met what: float32 [U + 1, I] of ones, repeated pairs once; row 0, the unknown, is empty.

    positives: a mask of rows [N]; by default all rows count.
    """
    import scipy.sparse  # a tenth of a second, and most runs do without

    splits, members = items_of_users(train, positives)
    ones = np.ones(len(members), np.float32)
    shape = train.num_users + 1, train.num_items
    return scipy.sparse.csr_matrix((ones, members - 1, splits), shape)
