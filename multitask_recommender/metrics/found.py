"""Which relevant items a ranking found, and where: all that a ranking metric needs to know."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Found:
    """Relevant items with a rank, sorted by query and then rank; those missed have no row."""

    queries: np.ndarray  # int64 [H] 0..Q-1
    ranks: np.ndarray  # float64 [H] from 1; distinct within a query
    num_relevant: np.ndarray  # int64 [Q], at least 1, the missed ones included


def found(queries: np.ndarray, ranks: np.ndarray, num_relevant: np.ndarray) -> Found:
    """From the ranks [P] of all relevant items, infinite where missed, and their queries [P]."""
    hits = np.flatnonzero(np.isfinite(ranks))
    queries, ranks = queries[hits], ranks[hits]
    # One integer sorts many times faster than two keys; ranks are whole numbers below 2**31.
    order = np.argsort((queries.astype(np.int64) << 31) | ranks.astype(np.int64))
    return Found(queries[order], ranks[order], num_relevant)


def sums_within(found: Found, values: np.ndarray | None, cutoffs: np.ndarray) -> np.ndarray:
    """Sums of values [H] (None: ones) over a query's items ranked within each cut-off: [Q, C]."""
    size = len(found.num_relevant), len(cutoffs)
    columns = np.searchsorted(cutoffs, found.ranks)  # the first cut-off that reaches the rank
    inside = columns < len(cutoffs)
    cells = (found.queries * len(cutoffs) + columns)[inside]
    weights = None if values is None else values[inside]
    sums = np.bincount(cells, weights, minlength=size[0] * size[1])
    return np.cumsum(sums.reshape(size), axis=1)
