"""Biased matrix factorisation, for ratings: mean + user's bias + item's bias + product of factors.

Koren, Bell and Volinsky, "Matrix Factorization Techniques for Recommender Systems", Computer 42(8),
2009, equations 3 to 5, by alternating least squares, each step exact. Any label that is not of 0
and 1 alone is a rating; predictions stay within the values that training holds.

Differs from the paper: what a user or item is charged grows with a power of its number of ratings;
the paper's charge for each rating is power 1, and one half does better on MovieLens.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np
from pydantic import Field

from multitask_recommender import settings
from multitask_recommender.baselines._least_squares import Ridge
from multitask_recommender.histories import Rows
from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import ITEM_ID, USER_ID


class Settings(settings.Settings):
    dimension: int = Field(40, gt=0, le=4096, description="Numbers in a factor.")
    epochs: int = Field(10, gt=0, description="How often users, then items, are solved for.")
    l2: float = Field(1.3, gt=0, description="Shrinks factors.")
    bias_l2: float = Field(0.5, gt=0, description="Shrinks biases.")
    l2_power: float = Field(
        0.5, ge=0, le=1, description="Both are multiplied by the count of ratings to this power."
    )
    initial_stddev: float = Field(0.1, gt=0, description="Of what the items' factors begin with.")

    def missing_from(self, train: Interactions, where: str) -> list[str]:
        if any(_is_rating(train, label) for label in train.labels):
            return []
        return [
            f"{where} predicts ratings, but no label of {train.source.name} has other values than "
            "0 and 1: take it away."
        ]


@dataclasses.dataclass(frozen=True)
class _Label:
    """The solution for one label. Column 0 of a table is the bias; row 0, the unknown, is zero."""

    mean: np.float32
    users: np.ndarray  # float32 [U + 1, 1 + D]
    items: np.ndarray  # float32 [I + 1, 1 + D]
    range: tuple[np.float32, np.float32]


class BiasedMf:
    """Predicts labels of pairs; it does not retrieve, as what is rated well is not what is met."""

    def __init__(self, labels: Mapping[str, _Label]) -> None:
        self._labels = labels

    def rank(self, queries: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        predictions = {}
        for name, label in self._labels.items():
            users, items = label.users[queries[USER_ID]], label.items[queries[ITEM_ID]]
            products = np.einsum("bd,bd->b", users[:, 1:], items[:, 1:])
            values = label.mean + users[:, 0] + items[:, 0] + products
            predictions[name] = np.clip(values, *label.range)
        return predictions


def fit(
    settings: Settings, train: Interactions, seed: int, positives: np.ndarray | None = None
) -> BiasedMf:
    """Solves for each label that is a rating; which rows are positives has no effect."""
    ratings = [label for label in train.labels if _is_rating(train, label)]
    return BiasedMf({label: _solve(settings, train, label, seed) for label in ratings})


def _is_rating(train: Interactions, label: str) -> bool:
    values = train.labels[label][train.is_observed(label)]
    return bool(((values != 0) & (values != 1)).any())


def _solve(settings: Settings, train: Interactions, label: str, seed: int) -> _Label:
    """Every row is a rating of its own: of a pair rated twice, both count."""
    observed = train.is_observed(label)
    values = train.labels[label][observed].astype(np.float32)
    user_ids, item_ids = train.user_ids[observed], train.item_ids[observed]
    mean = values.mean(dtype=np.float64).astype(np.float32)
    by_user = _Side(settings, user_ids, item_ids, values - mean, train.num_users)
    by_item = _Side(settings, item_ids, user_ids, values - mean, train.num_items)
    shape = train.num_items + 1, 1 + settings.dimension
    items = np.random.default_rng(seed).standard_normal(shape, np.float32)
    items *= settings.initial_stddev
    items[:, 0] = items[0] = 0.0
    for _ in range(settings.epochs):
        users = by_user.solve(items)
        items = by_item.solve(users)
    return _Label(mean, users, items, (values.min(), values.max()))


class _Side:
    """The users with what they rated, or the items with who rated them."""

    def __init__(
        self,
        settings: Settings,
        owners: np.ndarray,
        others: np.ndarray,
        values: np.ndarray,
        num_owners: int,
    ) -> None:
        order = np.argsort(owners, kind="stable")
        splits = np.searchsorted(owners[order], np.arange(num_owners + 2)).astype(np.int64)
        self._rows: Rows = splits, others[order]
        self._values = values[order]  # float32 [N]
        charges = np.full(1 + settings.dimension, settings.l2)
        charges[0] = settings.bias_l2
        counts = np.diff(splits)[:, None] ** settings.l2_power
        self._charges = (counts * charges).astype(np.float32)  # [R, 1 + D]
        self._remedy = (
            f"raise l2 (now {settings.l2:g}) or bias_l2 (now {settings.bias_l2:g}) of biased_mf"
        )

    def solve(self, others: np.ndarray) -> np.ndarray:
        """Bias and factors [R, 1 + D] of each owner, given those of the others."""
        inputs = others.copy()
        inputs[1:, 0] = 1.0  # what an owner's bias is multiplied by
        targets = self._values - others[self._rows[1], 0]
        return Ridge(self._rows, self._remedy, targets).solve(inputs, self._charges)
