"""iALS: factors of users and items that fit 1 where they met and 0 everywhere else, exactly.

Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008, in the
form of Rendle et al., "Revisiting the Performance of iALS on Item Recommendation Benchmarks",
RecSys 2022 (arXiv 2110.14037), section 3: with S the pairs that met,

    sum over S of (1 - u.i)^2 + unobserved_weight * sum over all pairs of (u.i)^2
      + sum over users of l2 * (met by the user + unobserved_weight * I)^l2_power * |u|^2
      + the same over items

l2_power 1 charges a user for each of his pairs, 0 is Hu's; Rendle calls the three alpha_0, lambda
and nu, and shows that with them and enough dimensions iALS is as good as what came after it. How
often a pair met has no effect. Users come last, so theirs are the best for the items that there
are. A solve of our own and not the library `implicit`, which has no l2_power: with 0 they agree.
"""

from collections.abc import Mapping

import numpy as np
from pydantic import Field

from multitask_recommender.baselines._least_squares import Ridge
from multitask_recommender.baselines._retrieval_only import RetrievalOnly, RetrievalOnlySettings
from multitask_recommender.histories import items_of_users, users_of_items
from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import USER_ID

# What the best weights found on MovieLens 1M and 20M, the Million Song Dataset and Gowalla come to
# is 7, 27, 14 and 15.
_ALL_TO_MET = 10.0


class Settings(RetrievalOnlySettings):
    dimension: int = Field(128, gt=0, le=4096, description="Numbers in a factor.")
    epochs: int = Field(12, gt=0, description="How often items, then users, are solved for.")
    l2: float = Field(0.01, gt=0, description="Shrinks factors: more of it for fewer data.")
    l2_power: float = Field(
        1.0, ge=0, le=1, description="l2 is multiplied by the count of pairs to this power."
    )
    unobserved_weight: float | None = Field(
        None,
        gt=0,
        description="What a pair that never met weighs; one that met has 1 more. By default all "
        "pairs together weigh 10 times as much as those that met.",
    )
    initial_stddev: float = Field(
        0.1, gt=0, description="Of what factors begin with, times the root of the dimension."
    )


class Ials(RetrievalOnly):
    """Scores are products; a user without training rows, and the unknown one, score all 0."""

    def __init__(self, users: np.ndarray, items: np.ndarray) -> None:
        self._users = users  # float32 [U + 1, D]; row 0, the unknown, is zero
        self._items = items  # float32 [I, D]

    def score_block(self, queries: Mapping[str, np.ndarray]) -> np.ndarray:
        return self._users[queries[USER_ID]] @ self._items.T


def fit(
    settings: Settings, train: Interactions, seed: int, positives: np.ndarray | None = None
) -> Ials:
    """Alternates between items and users, from the positives (a mask of rows [N]) or all rows."""
    rows_of_users, rows_of_items = (
        rows(train, positives) for rows in (items_of_users, users_of_items)
    )
    num_users, num_items = train.num_users, train.num_items
    weight = settings.unobserved_weight
    if weight is None:
        weight = _ALL_TO_MET * max(len(rows_of_users[1]), 1) / max(num_users * num_items, 1)
    remedy = f"raise l2 of ials (now {settings.l2:g})"
    by_user, by_item = Ridge(rows_of_users, remedy), Ridge(rows_of_items, remedy)
    user_l2 = _charges(settings, np.diff(rows_of_users[0]) + weight * num_items)
    item_l2 = _charges(settings, np.diff(rows_of_items[0]) + weight * num_users)
    shape = num_users + 1, settings.dimension
    users = np.random.default_rng(seed).standard_normal(shape, np.float32)
    users *= settings.initial_stddev / np.sqrt(settings.dimension)
    users[0] = 0.0
    for _ in range(settings.epochs):
        users, squares = _aligned(users)
        items = by_item.solve(users, item_l2, weight * squares)
        items, squares = _aligned(items)
        users = by_user.solve(items, user_l2, weight * squares)
    return Ials(users, items[1:])


def _aligned(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The table turned so that its Gram matrix is diagonal, and that diagonal [D].

    What all pairs weigh is then a charge for each dimension. Products with the other side, which is
    solved for from here, do not change by a turn.
    """
    squares, basis = np.linalg.eigh((table.T @ table).astype(np.float64))
    return table @ basis.astype(np.float32), np.maximum(squares, 0.0).astype(np.float32)


def _charges(settings: Settings, pairs: np.ndarray) -> np.ndarray:
    """What each owner's factor is charged, float32 [R, 1], for the weight of all his pairs [R]."""
    return (settings.l2 * pairs**settings.l2_power).astype(np.float32)[:, None]
