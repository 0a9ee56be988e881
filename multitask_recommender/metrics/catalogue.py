"""What is recommended, over all users: how much of the catalogue, and how popular.

`exposure` [I] counts how often each item of the catalogue stands in a top-K list. Undefined
values (nothing recommended) are None. These describe: none declares a way in which it is better, as
random lists cover most.
"""

import numpy as np


def coverage(exposure: np.ndarray) -> float | None:
    """Share of the catalogue that is recommended to anybody."""
    return float(np.mean(exposure > 0)) if exposure.any() else None


def popularity(exposure: np.ndarray, percentiles: np.ndarray) -> float | None:
    """Mean popularity percentile [I] of what is recommended: about .5 for random lists."""
    total = exposure.sum()
    return float(exposure @ percentiles / total) if total else None


def gini(exposure: np.ndarray) -> float | None:
    """Inequality of exposure: 0 where all items are shown equally, near 1 where few are."""
    total = exposure.sum()
    if not total:
        return None
    places = np.arange(1, len(exposure) + 1)
    weights = 2 * places - len(exposure) - 1
    return float(weights @ np.sort(exposure) / (len(exposure) * total))


def overlap(exposure: np.ndarray, num_lists: int) -> float | None:
    """Share of a list that the lists of two users have in common: 1 where all are the same."""
    total = exposure.sum()
    if not total or num_lists < 2:
        return None
    # An item on c lists is common to c (c - 1) ordered pairs of them.
    return float(exposure @ (exposure - 1) / ((num_lists - 1) * total))


def percentiles(counts: np.ndarray) -> np.ndarray:
    """Share of items [I] with fewer interactions before, plus half of those with as many."""
    ordered = np.sort(counts)
    fewer = np.searchsorted(ordered, counts, side="left")
    not_more = np.searchsorted(ordered, counts, side="right")
    return (fewer + not_more) / (2 * len(counts))
