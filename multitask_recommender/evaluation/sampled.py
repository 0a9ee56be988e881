"""The protocol `sampled`: each held-out item among a few negatives, one row one vote.

He et al., "Neural Collaborative Filtering", WWW 2017, section 4.1. Sampled figures compare only
with others of the same negatives; Krichene and Rendle, KDD 2020, show how they mislead.

The negatives are those that the source gives, else drawn. Of given ones (the paper's for ML-1M, for
one) some are their row's own target, or come twice: the paper's code keeps scores by item, so an
item stands there once, and the target as itself. Here they are left out as well, and counted.

Differs from the paper: an item that scores as much as the target is ahead of it.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from multitask_recommender.evaluation.held_out import HeldOut
from multitask_recommender.evaluation.outcome import Outcome, means
from multitask_recommender.metrics import ranking
from multitask_recommender.metrics.direction import Direction, direction
from multitask_recommender.metrics.found import found
from multitask_recommender.metrics.selection import MISSED, check_numbers
from multitask_recommender.pairs import are_among
from multitask_recommender.schema import PAD

_METRICS = (ranking.hit_rate, ranking.ndcg, ranking.mrr)


@dataclasses.dataclass(frozen=True)
class Negatives:
    """What each held-out row is ranked among, and how that came about."""

    item_ids: np.ndarray  # int32 [N, n]; 0 where there are fewer
    record: dict[str, Any]


class Sampled:
    """Ranks the target of each row among the negatives of the same row.

    Negatives outside the vocabulary (0 among them) are never ranked above anything.
    """

    def __init__(self, held_out: HeldOut, negatives: Negatives, cutoffs: Sequence[int]) -> None:
        self._held_out = held_out
        self._order = np.argsort(held_out.row_queries, kind="stable")  # rows by query
        self._record = negatives.record
        self._negatives = negatives.item_ids
        is_item = (self._negatives >= 1) & (self._negatives <= held_out.num_items)
        most_candidates = 1 + int(is_item.sum(axis=1).max(initial=0))
        self._left_out = [k for k in cutoffs if k >= most_candidates]
        self._cutoffs = np.array([k for k in cutoffs if k < most_candidates], np.int64)
        self._ranks: list[np.ndarray] = [np.empty(0)]

    def measure(self, scores: np.ndarray, block: slice) -> np.ndarray:
        """Ranks [n] of the targets of a block's rows."""
        check_numbers(scores)
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

    def directions(self) -> dict[str, Direction | None]:
        if not len(self._order):
            return {}
        return {f"{m.__name__}@{k}": direction(m) for m in _METRICS for k in self._cutoffs}

    def record(self) -> dict[str, Any]:
        return {
            **self._record,
            "ties": "pessimistic",
            "mean_over": "rows",
            "cutoffs_left_out": self._left_out,
            **self._held_out.summary(),
        }


def given_negatives(item_ids: np.ndarray, targets: np.ndarray) -> Negatives:
    """Those of the source, item ids [N, n], for rows whose own items are targets [N]."""
    is_target = item_ids == targets[:, None]
    items = np.sort(np.where(is_target, PAD, item_ids), axis=1)  # of no order, so free to sort
    is_repeated = items[:, 1:] == items[:, :-1]
    num_repeated = int(np.count_nonzero(is_repeated & (items[:, 1:] != PAD)))
    items[:, 1:][is_repeated] = PAD
    return Negatives(
        items,
        {
            "candidates": f"the target and its {items.shape[1]} given negatives a row",
            "seen_items": "candidates where they are among the given negatives",
            "rows_with_target_among_negatives": int(is_target.any(axis=1).sum()),
            "target_among_negatives": "left out of them",
            "negatives_repeated_in_a_row": num_repeated,
        },
    )


def drawn_negatives(held_out: HeldOut, count: int, seed: int) -> Negatives:
    """See draw_negatives."""
    return Negatives(
        draw_negatives(held_out, count, seed),
        {
            "candidates": f"the target and {count} negatives a row",
            "seen_items": "never drawn as negatives",
        },
    )


def draw_negatives(held_out: HeldOut, count: int, seed: int) -> np.ndarray:
    """Distinct item ids int32 [N, count] that the row's user has met nowhere, drawn uniformly.

    A user who has met all but fewer than `count` items gets those few, and zeros.
    """
    num_items, queries = held_out.num_items, held_out.row_queries
    met = np.sort(np.concatenate([held_out.seen_cells, held_out.relevant_cells]))
    met = met[np.diff(met, prepend=-1) > 0]
    num_met = np.bincount(met // max(num_items, 1), minlength=len(held_out.queries))
    generator = np.random.default_rng(seed)
    items = np.zeros((len(queries), count), np.int32)
    # Where most draws would be repetitions, all that is left is shuffled instead.
    is_crowded = (num_items - num_met < 2 * count)[queries]
    for row in np.flatnonzero(is_crowded):
        cells = queries[row] * num_items + np.arange(num_items)
        left = generator.permutation(np.flatnonzero(~are_among(cells, met)))[:count]
        items[row, : len(left)] = left + 1
    rows = np.flatnonzero(~is_crowded)
    items[rows] = _draw_distinct(generator, queries[rows, None] * num_items, met, num_items, count)
    return items


def _draw_distinct(
    generator: np.random.Generator, starts: np.ndarray, met: np.ndarray, num_items: int, count: int
) -> np.ndarray:
    """Item ids [n, count] for cells from starts [n, 1]: drawn again where met or repeated."""
    columns = np.sort(generator.integers(num_items, size=(len(starts), count)), axis=1)
    rows = np.arange(len(starts))
    while len(rows):
        drawn = columns[rows]
        wrong = are_among(starts[rows] + drawn, met)
        wrong[:, 1:] |= drawn[:, 1:] == drawn[:, :-1]
        drawn[wrong] = generator.integers(num_items, size=int(wrong.sum()))
        drawn.sort(axis=1)
        columns[rows] = drawn
        rows = rows[wrong.any(axis=1)]
    return columns + 1
