"""Item-based nearest neighbours: an item counts for its likeness to what the user met.

Sarwar et al., "Item-based Collaborative Filtering Recommendation Algorithms", WWW 2001; for
implicit feedback as in Deshpande and Karypis, "Item-Based Top-N Recommendation Algorithms", TOIS
22(1), 2004, section 4: cosine of the columns of the user-item matrix, and a score is the sum of an
item's similarities to the user's items.

Differs from them: `neighbours` are those of the item that is scored, as in Sarwar et al., where
Deshpande and Karypis keep those of each item that the user met. Similarities shrink where few users
tell of them: n / (norms + shrinkage) for n users who met both, which looks at how often each item
was met. Koren (KDD 2008, section 2.2) looks at n itself: n / norms * n / (n + shrinkage).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from multitask_recommender import threads
from multitask_recommender.baselines._retrieval_only import (
    RetrievalOnly,
    RetrievalOnlySettings,
    matrix_of,
)
from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import USER_ID

if TYPE_CHECKING:
    import scipy.sparse

_BLOCK_CELLS = 2**24  # similarities of a block of items with all, at the most, in each thread


class Settings(RetrievalOnlySettings):
    neighbours: int = Field(
        100, gt=0, description="How many of the most similar items count towards an item's score."
    )
    shrinkage: float = Field(
        10.0, ge=0, description="Added to the norm: similarities with few users behind count less."
    )


class ItemKnn(RetrievalOnly):
    def __init__(
        self, user_items: "scipy.sparse.csr_matrix", similar: "scipy.sparse.csr_matrix"
    ) -> None:
        self._user_items = user_items  # [U + 1, I]; row 0, the unknown, is empty
        self._similar = similar  # [I, I]; row j holds what having met item j adds to each item

    def score_block(self, queries: Mapping[str, np.ndarray]) -> np.ndarray:
        return (self._user_items[queries[USER_ID]] @ self._similar).toarray()


def fit(
    settings: Settings, train: Interactions, seed: int, positives: np.ndarray | None = None
) -> ItemKnn:
    """Finds each item's neighbours by the positives (a mask of rows [N]), or by all rows.

    The seed has no effect.
    """
    user_items = matrix_of(train, positives)
    return ItemKnn(user_items, _neighbours(user_items, settings))


def _neighbours(
    user_items: "scipy.sparse.csr_matrix", settings: Settings
) -> "scipy.sparse.csr_matrix":
    """Similarities float32 [I, I]; column i holds those of item i to its neighbours."""
    import scipy.sparse

    num_items = user_items.shape[1]
    item_users = user_items.T.tocsr()
    norms = np.sqrt(np.diff(item_users.indptr)).astype(np.float32)  # [I]

    def nearest(items: slice) -> "scipy.sparse.csr_matrix":
        common = (item_users[items] @ user_items).tocsr()  # how many users met both, [b, I]
        own = np.repeat(np.arange(items.start, items.stop), np.diff(common.indptr))
        common.data /= norms[own] * norms[common.indices] + settings.shrinkage
        common.data[common.indices == own] = 0.0
        return _largest(common, settings.neighbours)

    size = max(1, _BLOCK_CELLS // max(num_items, 1))
    blocks = [slice(at, min(at + size, num_items)) for at in range(0, num_items, size)]
    parts = list(threads.side_by_side(nearest, blocks))
    return scipy.sparse.vstack(parts).T.tocsr()


def _largest(rows: "scipy.sparse.csr_matrix", count: int) -> "scipy.sparse.csr_matrix":
    """The `count` largest values of each row alone; of equal ones, those of the first columns."""
    import scipy.sparse

    owners = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    order = np.lexsort((rows.indices, -rows.data, owners))
    place = np.arange(len(order)) - rows.indptr[owners]  # within the row, as owners ascend
    kept = order[(place < count) & (rows.data[order] > 0)]
    entries = rows.data[kept], (owners[kept], rows.indices[kept])
    return scipy.sparse.csr_matrix(entries, rows.shape)
