"""The protocol `sampled`: each held-out item among a few negatives, one row one vote.

He et al., "Neural Collaborative Filtering", WWW 2017, section 4.1. Sampled figures compare only
with others of the same negatives; Krichene and Rendle, KDD 2020, show how they mislead.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from multitask_recommender.errors import DataError
from multitask_recommender.evaluation.held_out import HeldOut
from multitask_recommender.evaluation.outcome import Outcome, means
from multitask_recommender.metrics import ranking
from multitask_recommender.metrics.found import found
from multitask_recommender.metrics.selection import MISSED

_METRICS = (ranking.hit_rate, ranking.ndcg, ranking.mrr)


class Sampled:
    """Ranks the target of each row among the item ids negatives [N, n] of the same row.

    Negatives outside the vocabulary (0 among them) are never ranked above anything.
    """

    def __init__(self, held_out: HeldOut, negatives: np.ndarray, cutoffs: Sequence[int]) -> None:
        if len(negatives) != len(held_out.row_pairs):
            raise DataError(
                f"There are negatives for {len(negatives)} rows, and {len(held_out.row_pairs)} "
                "held-out rows: give one line of negatives for each."
            )
        self._held_out = held_out
        self._order = np.argsort(held_out.row_queries, kind="stable")  # rows by query
        self._negatives = negatives
        self._cutoffs = np.array([k for k in cutoffs if k <= negatives.shape[1]], np.int64)
        self._ranks: list[np.ndarray] = [np.empty(0)]

    def measure(self, scores: np.ndarray, block: slice) -> np.ndarray:
        """Ranks [n] of the targets of a block's rows."""
        held_out = self._held_out
        queries = held_out.row_queries[self._order]
        rows = self._order[slice(*np.searchsorted(queries, [block.start, block.stop]).tolist())]
        pairs = held_out.row_pairs[rows]
        rows, is_known = rows[pairs >= 0], pairs >= 0
        lines = held_out.row_queries[rows, None] - block.start
        columns = held_out.relevant_cells[held_out.row_pairs[rows], None] % held_out.num_items
        items = self._negatives[rows]
        is_item = (items >= 1) & (items <= held_out.num_items)
        ahead = is_item & ~(scores[lines, np.where(is_item, items - 1, 0)] < scores[lines, columns])
        ranks = np.full(len(pairs), MISSED)
        ranks[is_known] = ahead.sum(axis=1) + 1
        return ranks

    def add(self, measured: np.ndarray) -> None:
        self._ranks.append(measured)

    def outcome(self) -> Outcome:
        rows = np.arange(len(self._order))
        ranks = np.empty(len(rows))
        ranks[self._order] = np.concatenate(self._ranks)
        hits = found(rows, ranks, np.ones(len(rows), np.int64))
        arrays = {}
        for metric in _METRICS:
            values = metric(hits, self._cutoffs)
            arrays |= {f"{metric.__name__}@{k}": values[:, c] for c, k in enumerate(self._cutoffs)}
        return means(arrays)

    def record(self) -> dict[str, Any]:
        return {
            "candidates": f"the target and {self._negatives.shape[1]} negatives a row",
            "seen_items": "never drawn as negatives",
            "ties": "pessimistic",
            "mean_over": "rows",
            **self._held_out.summary(),
        }


def draw_negatives(held_out: HeldOut, count: int, seed: int) -> np.ndarray:
    """Distinct item ids int32 [N, count] that the row's user has met nowhere, drawn uniformly.

    A user who has met all but fewer than `count` items gets those few, and zeros.
    """
    num_items = held_out.num_items
    met = np.union1d(held_out.seen_cells, held_out.relevant_cells)  # ascending
    num_met = np.bincount(met // max(num_items, 1), minlength=len(held_out.queries))
    generator = np.random.default_rng(seed)
    items = np.zeros((len(held_out.row_queries), count), np.int32)
    # Where most draws would be repetitions, all that is left is shuffled instead.
    is_crowded = (num_items - num_met < 2 * count)[held_out.row_queries]
    for row in np.flatnonzero(is_crowded):
        start = held_out.row_queries[row] * num_items
        met_here = met[slice(*np.searchsorted(met, [start, start + num_items]))] - start
        left = np.setdiff1d(np.arange(num_items), met_here)
        few = generator.permutation(left)[:count]
        items[row, : len(few)] = few + 1
    rows = np.flatnonzero(~is_crowded)
    items[rows] = _draw_distinct(generator, held_out.row_queries[rows], met, num_items, count)
    return items


def _draw_distinct(
    generator: np.random.Generator, queries: np.ndarray, met: np.ndarray, num_items: int, count: int
) -> np.ndarray:
    """Item ids [n, count]: drawn at once, and again where met or already drawn."""
    columns = np.full((len(queries), count), -1)
    wrong = columns < 0
    while wrong.any():
        columns[wrong] = generator.integers(num_items, size=int(wrong.sum()))
        columns.sort(axis=1)
        cells = queries[:, None] * num_items + columns
        places = np.minimum(np.searchsorted(met, cells), max(len(met) - 1, 0))
        wrong = met[places] == cells if len(met) else np.zeros(cells.shape, bool)
        wrong[:, 1:] |= columns[:, 1:] == columns[:, :-1]
    return columns + 1
