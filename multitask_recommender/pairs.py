"""Pairs of user and item as one number each: to sort them, and to look some up among others.

Rows of one user mostly follow one another. Sorting them stably takes a quarter of the time that
numpy's default takes then, and an eighth more where they do not.
"""

from collections.abc import Iterable

import numpy as np

from multitask_recommender.interactions import Interactions


def keys_of(interactions: Interactions) -> np.ndarray:
    """One number for each row's pair [N]; the same in all parts of a split."""
    keys = interactions.user_ids.astype(np.int64)
    keys *= len(interactions.items.raw_ids) + 1
    keys += interactions.item_ids
    return keys


def distinct(keys: np.ndarray) -> np.ndarray:
    """The keys [n] once each, ascending; the array itself is sorted by it.

    `np.unique` makes a hash table first, in several times the time and the memory.
    """
    keys.sort(kind="stable")
    is_new = np.ones(len(keys), bool)
    np.not_equal(keys[1:], keys[:-1], out=is_new[1:])
    return keys[is_new]


def repeated(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows [R] whose key is that of another row too, by key, then by row.

    And the number of each one's key among those that are repeated, int64 [R].
    """
    order = np.argsort(keys, kind="stable")
    in_order = keys[order]
    is_again = np.zeros(len(keys), bool)
    np.equal(in_order[1:], in_order[:-1], out=is_again[1:])
    is_repeated = is_again.copy()
    is_repeated[:-1] |= is_again[1:]
    return order[is_repeated], np.cumsum(~is_again[is_repeated]) - 1


def are_among(keys: np.ndarray, in_order: np.ndarray) -> np.ndarray:
    """Which of the keys are in a sorted array. `np.isin` takes ten times as long."""
    if not len(in_order):
        return np.zeros(keys.shape, bool)
    places = np.searchsorted(in_order, keys)
    np.minimum(places, len(in_order) - 1, out=places)
    return in_order[places] == keys


def count_among(keys: np.ndarray, others: Iterable[np.ndarray]) -> int:
    """How many of the keys occur among the others, of which one part is read at a time."""
    if not len(keys):
        return 0
    in_order = np.sort(keys, kind="stable")
    are_there = np.zeros(len(keys), bool)  # the first of each that is
    for part in others:
        places = np.searchsorted(in_order, part)
        np.minimum(places, len(keys) - 1, out=places)
        are_there[places[in_order[places] == part]] = True
    first = np.flatnonzero(are_there)
    return int((np.searchsorted(in_order, in_order[first], side="right") - first).sum())
