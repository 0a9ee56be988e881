"""EASE: a linear autoencoder of items, in closed form.

Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, algorithm 1.

Needs a dense [I, I] matrix and its inverse: for catalogues up to some ten thousand items.
"""

from collections.abc import Mapping
from typing import Annotated

import numpy as np
import pydantic

from multitask_recommender import settings
from multitask_recommender.errors import ConfigError
from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import USER_ID

MAX_ITEMS = 30_000  # three float64 matrices of this size are 22 GB


class Settings(settings.Settings):
    l2: Annotated[float, pydantic.Field(gt=0)] = 500.0


class Ease:
    """Scores are sums of item weights over what the user met in training; predicts no labels."""

    def __init__(self, user_items: "object", weights: np.ndarray) -> None:
        self._user_items = user_items  # scipy CSR [U + 1, I]; row 0, the unknown, is empty
        self._weights = weights  # float32 [I, I]

    def score_block(self, queries: Mapping[str, np.ndarray]) -> np.ndarray:
        return self._user_items[queries[USER_ID]] @ self._weights

    def rank(self, queries: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {}


def fit(
    settings: Settings, train: Interactions, seed: int, positives: np.ndarray | None = None
) -> Ease:
    """Solves for the weights, from the positives (a mask of rows [N]) or from all rows.

    The seed has no effect. Raises ConfigError over MAX_ITEMS items.
    """
    import scipy.linalg  # a third of a second, and most runs do without EASE
    import scipy.sparse

    if train.num_items > MAX_ITEMS:
        raise ConfigError(
            f"The baseline ease needs a matrix of {train.num_items} x {train.num_items} items; "
            f"it is meant for {MAX_ITEMS} at most. Leave it out, or use item_knn."
        )
    shape = train.num_users + 1, train.num_items
    met = train if positives is None else train.take(positives)
    pairs = np.unique(met.user_ids.astype(np.int64) * shape[1] + met.item_ids - 1)
    ones = np.ones(len(pairs), np.float32)
    user_items = scipy.sparse.csr_matrix((ones, (pairs // shape[1], pairs % shape[1])), shape)
    gram = (user_items.T @ user_items).toarray().astype(np.float64)
    diagonal = np.diag_indices_from(gram)
    gram[diagonal] += settings.l2
    inverse = scipy.linalg.inv(gram, overwrite_a=True, check_finite=False)
    weights = inverse / -inverse[diagonal]  # equation 8: column j is divided by its diagonal
    weights[diagonal] = 0.0
    return Ease(user_items, weights.astype(np.float32))
