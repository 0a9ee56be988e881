"""The protocol `unfiltered`: every item is a candidate, what the user has seen before too.

`factorized_top_k/...` is the figure of the TFRS tutorials, one row one vote; unlike there, ties are
pessimistic, and items outside the vocabulary are misses. `recall@20` and the like have one vote a
user, as in the code of Tenrec's paper, which leaves seen items in. Where users are sessions,
`hit_rate@20` is what papers call P@20 or recall@20, and `mrr@20` is their MRR@20.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from multitask_recommender.evaluation.full import ACCURACY, top_k_accuracies
from multitask_recommender.evaluation.held_out import HeldOut
from multitask_recommender.evaluation.outcome import Outcome, means
from multitask_recommender.metrics import ranking
from multitask_recommender.metrics.direction import HIGHER, Direction, direction
from multitask_recommender.metrics.found import found
from multitask_recommender.metrics.selection import MISSED, Selection, select

ROW_CUTOFFS = np.array([1, 5, 10, 50, 100])  # those of FactorizedTopK
_METRICS = (ranking.recall, ranking.ndcg, ranking.hit_rate, ranking.mrr)
_PREFIX = "factorized_top_k/"


class Unfiltered:
    def __init__(self, held_out: HeldOut, cutoffs: Sequence[int]) -> None:
        self._held_out = held_out
        self._depth = max(cutoffs[-1], ROW_CUTOFFS[-1])
        all_cutoffs = np.union1d(cutoffs, ROW_CUTOFFS)
        self._left_out = all_cutoffs[all_cutoffs >= held_out.num_items]
        self._cutoffs, self._row_cutoffs = (
            np.setdiff1d(each, self._left_out) for each in (cutoffs, ROW_CUTOFFS)
        )
        self._ranks: list[np.ndarray] = [np.empty(0)]
        self._row_ranks: list[np.ndarray] = [np.empty(0)]

    def measure(self, scores: np.ndarray, block: slice) -> Selection:
        cells = self._held_out.relevant_cells
        relevant = cells[self._held_out.within(cells, block)]
        offset = block.start * self._held_out.num_items
        return select(scores, relevant - offset, int(self._depth))

    def add(self, measured: Selection) -> None:
        self._ranks.append(measured.ranks)
        self._row_ranks.append(measured.row_ranks)

    def outcome(self) -> Outcome:
        held_out = self._held_out
        row_ranks = np.concatenate([*self._row_ranks, [MISSED]])  # the last: of unknown items
        accuracies = top_k_accuracies(row_ranks[held_out.row_pairs], self._row_cutoffs)
        arrays = {_PREFIX + name: hit for name, hit in accuracies.items()}
        ranks = np.concatenate(self._ranks)
        hits = found(held_out.pair_queries[: len(ranks)], ranks, held_out.num_relevant)
        for metric in _METRICS:
            values = metric(hits, self._cutoffs)  # [Q, C]
            arrays |= {f"{metric.__name__}@{k}": values[:, c] for c, k in enumerate(self._cutoffs)}
        return means(arrays)

    def directions(self) -> dict[str, Direction | None]:
        if not len(self._held_out.row_pairs):
            return {}
        told = {_PREFIX + ACCURACY.format(k): HIGHER for k in self._row_cutoffs}
        return told | {f"{m.__name__}@{k}": direction(m) for m in _METRICS for k in self._cutoffs}

    def record(self) -> dict[str, Any]:
        return {
            "candidates": f"all {self._held_out.num_items} items",
            "seen_items": "included",
            "ties": "pessimistic",
            "mean_over": "users; factorized_top_k over rows",
            "cutoffs_left_out": self._left_out.tolist(),
            **self._held_out.summary(),
        }
