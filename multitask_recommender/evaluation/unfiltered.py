"""The protocol `unfiltered`, that of the TFRS tutorials: every item a candidate, one row one vote.

Unlike `FactorizedTopK`, ties are pessimistic, and items outside the vocabulary are misses.
"""

from typing import Any

import numpy as np

from multitask_recommender.evaluation.full import ACCURACY, top_k_accuracies
from multitask_recommender.evaluation.held_out import HeldOut
from multitask_recommender.evaluation.outcome import Outcome, means
from multitask_recommender.metrics.direction import HIGHER, Direction
from multitask_recommender.metrics.selection import MISSED, select

CUTOFFS = np.array([1, 5, 10, 50, 100])  # those of FactorizedTopK
_PREFIX = "factorized_top_k/"


class Unfiltered:
    def __init__(self, held_out: HeldOut) -> None:
        self._held_out = held_out
        self._cutoffs = CUTOFFS[CUTOFFS < held_out.num_items]
        self._ranks: list[np.ndarray] = [np.empty(0)]

    def measure(self, scores: np.ndarray, block: slice) -> np.ndarray:
        cells = self._held_out.relevant_cells
        relevant = cells[self._held_out.within(cells, block)]
        offset = block.start * self._held_out.num_items
        return select(scores, relevant - offset, int(CUTOFFS[-1])).row_ranks

    def add(self, measured: np.ndarray) -> None:
        self._ranks.append(measured)

    def outcome(self) -> Outcome:
        ranks = np.concatenate([*self._ranks, [MISSED]])  # the last is that of unknown items
        accuracies = top_k_accuracies(ranks[self._held_out.row_pairs], self._cutoffs)
        return means({f"{_PREFIX}{name}": hit for name, hit in accuracies.items()})

    def directions(self) -> dict[str, Direction | None]:
        has_rows = len(self._held_out.row_pairs) > 0
        return {_PREFIX + ACCURACY.format(k): HIGHER for k in self._cutoffs if has_rows}

    def record(self) -> dict[str, Any]:
        return {
            "candidates": f"all {self._held_out.num_items} items",
            "seen_items": "included",
            "ties": "pessimistic",
            "mean_over": "rows",
            "cutoffs_left_out": CUTOFFS[CUTOFFS >= self._held_out.num_items].tolist(),
            **self._held_out.summary(),
        }
