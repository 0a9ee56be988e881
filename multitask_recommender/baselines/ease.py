"""EASE: a linear autoencoder of items, in closed form.

Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, algorithm 1.

Needs a dense [I, I] matrix and its inverse: for catalogues up to some ten thousand items.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from multitask_recommender.baselines._retrieval_only import (
    RetrievalOnly,
    RetrievalOnlySettings,
    matrix_of,
)
from multitask_recommender.errors import ConfigError
from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import USER_ID

if TYPE_CHECKING:
    import scipy.sparse

MAX_ITEMS = 30_000  # three float64 matrices of this size are 22 GB


class Settings(RetrievalOnlySettings):
    l2: float = Field(500.0, gt=0)

    def missing_from(self, train: Interactions, where: str) -> list[str]:
        if train.num_items <= MAX_ITEMS:
            return []
        return [
            f"{where} needs a matrix of {train.num_items} x {train.num_items} items; it is meant "
            f"for {MAX_ITEMS} at most. Leave it out, or use item_knn."
        ]


class Ease(RetrievalOnly):
    """Scores are sums of item weights over what the user met in training."""

    def __init__(self, user_items: "scipy.sparse.csr_matrix", weights: np.ndarray) -> None:
        self._user_items = user_items  # [U + 1, I]; row 0, the unknown, is empty
        self._weights = weights  # float32 [I, I]

    def score_block(self, queries: Mapping[str, np.ndarray]) -> np.ndarray:
        return self._user_items[queries[USER_ID]] @ self._weights


def fit(
    settings: Settings, train: Interactions, seed: int, positives: np.ndarray | None = None
) -> Ease:
    """Solves for the weights, from the positives (a mask of rows [N]) or from all rows.

    The seed has no effect. Raises ConfigError over MAX_ITEMS items.
    """
    import scipy.linalg  # a third of a second, and most runs do without EASE

    faults = settings.missing_from(train, "The baseline ease")
    if faults:
        raise ConfigError(*faults)
    user_items = matrix_of(train, positives)
    gram = (user_items.T @ user_items).toarray().astype(np.float64)
    diagonal = np.diag_indices_from(gram)
    gram[diagonal] += settings.l2
    inverse = scipy.linalg.inv(gram, overwrite_a=True, check_finite=False)
    weights = inverse / -inverse[diagonal]  # equation 8: column j is divided by its diagonal
    weights[diagonal] = 0.0
    return Ease(user_items, weights.astype(np.float32))
