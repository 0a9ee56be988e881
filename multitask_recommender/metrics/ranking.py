"""Ranking metrics, all from the ranks of relevant items.

Every public function of this file is a metric: `name(found, cutoffs) -> [Q, C]`, one value for
each query and cut-off, and `recall@100` means `recall` at the cut-off 100. A metric is added by
writing its function, with the way in which it is better. Relevance is binary. Cut-offs ascend;
infinity stands for none.

Evaluation leaves out, and counts, queries without relevant items: num_relevant is at least 1.
"""

import numpy as np

from multitask_recommender.metrics.direction import higher_is_better
from multitask_recommender.metrics.found import Found, sums_within


@higher_is_better
def recall(found: Found, cutoffs: np.ndarray) -> np.ndarray:
    """Share of all relevant items that are ranked within the cut-off."""
    return sums_within(found, None, cutoffs) / found.num_relevant[:, None]


@higher_is_better
def precision(found: Found, cutoffs: np.ndarray) -> np.ndarray:
    """Share of the K places that hold relevant items; K stays K where candidates run out."""
    return sums_within(found, None, cutoffs) / cutoffs


@higher_is_better
def hit_rate(found: Found, cutoffs: np.ndarray) -> np.ndarray:
    """1 where any relevant item is ranked within the cut-off."""
    return (sums_within(found, None, cutoffs) > 0).astype(np.float64)


@higher_is_better
def ndcg(found: Found, cutoffs: np.ndarray) -> np.ndarray:
    """Binary-gain nDCG, Jarvelin and Kekalainen 2002, discount 1 / log2(rank + 1).

    The ideal puts min(K, num_relevant) relevant items first.
    """
    gains = sums_within(found, 1.0 / np.log2(found.ranks + 1.0), cutoffs)
    most = int(found.num_relevant.max(initial=1))
    ideal = np.cumsum(1.0 / np.log2(np.arange(most) + 2.0))  # [most]
    return gains / ideal[np.minimum(found.num_relevant[:, None], cutoffs).astype(np.int64) - 1]


@higher_is_better
def mrr(found: Found, cutoffs: np.ndarray) -> np.ndarray:
    """Reciprocal rank of the first relevant item, 0 where it is ranked beyond the cut-off."""
    first = np.diff(found.queries, prepend=-1) > 0
    ranks = np.full(len(found.num_relevant), np.inf)
    ranks[found.queries[first]] = found.ranks[first]
    return np.where(ranks[:, None] <= cutoffs, 1.0 / ranks[:, None], 0.0)


@higher_is_better
def map(found: Found, cutoffs: np.ndarray) -> np.ndarray:
    """Mean over min(K, num_relevant) of the precision at each relevant item within the cut-off."""
    starts = np.flatnonzero(np.diff(found.queries, prepend=-1))
    lengths = np.diff(starts, append=len(found.queries))
    places = np.arange(1, len(found.queries) + 1) - np.repeat(starts, lengths)
    most = np.minimum(found.num_relevant[:, None], cutoffs)
    return sums_within(found, places / found.ranks, cutoffs) / most
