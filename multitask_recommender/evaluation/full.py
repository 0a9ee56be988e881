"""The protocol `full`: all items but the user's seen ones, one user one vote."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from multitask_recommender.evaluation.held_out import HeldOut
from multitask_recommender.evaluation.outcome import Outcome, means
from multitask_recommender.metrics import catalogue, names, ranking
from multitask_recommender.metrics.found import found
from multitask_recommender.metrics.selection import MISSED, Selection, select


class Full:
    """Every metric of metrics/ranking.py by user, per-row accuracy, and the catalogue's share.

    A held-out pair that the user had seen before is no candidate, so it is a miss (and counted in
    the record). `top_k_categorical_accuracy` has one vote a row: the target's rank among all other
    candidates, the user's other held-out items included.
    """

    def __init__(self, held_out: HeldOut, popularity: np.ndarray, cutoffs: Sequence[int]) -> None:
        """popularity: int64 [I], training interactions of each item."""
        self._held_out = held_out
        self._percentiles = catalogue.percentiles(popularity)
        self._cutoffs = np.array(cutoffs)
        self._exposures = np.zeros((len(self._cutoffs), held_out.num_items), np.int64)
        self._is_candidate = ~held_out.is_repeated
        self._cells = held_out.relevant_cells[self._is_candidate]
        self._ranks: list[np.ndarray] = [np.empty(0)]
        self._row_ranks: list[np.ndarray] = [np.empty(0)]

    def measure(self, scores: np.ndarray, block: slice) -> Selection:
        """Overwrites the scores of seen items."""
        held_out, offset = self._held_out, block.start * self._held_out.num_items
        seen = held_out.seen_cells[held_out.within(held_out.seen_cells, block)] - offset
        scores.reshape(-1)[seen] = -np.inf
        relevant = self._cells[held_out.within(self._cells, block)] - offset
        return select(scores, relevant, int(self._cutoffs[-1]))

    def add(self, measured: Selection) -> None:
        self._ranks.append(measured.ranks)
        self._row_ranks.append(measured.row_ranks)
        start = 0
        for exposure, cutoff in zip(self._exposures, self._cutoffs, strict=True):
            items = measured.items[:, start:cutoff]
            np.add.at(exposure, items[items >= 0], 1)
            start = cutoff

    def outcome(self) -> Outcome:
        by_user = means(self._by_user() | self._by_row())
        return Outcome(by_user.metrics | self._of_catalogue(), by_user.arrays)

    def record(self) -> dict[str, Any]:
        return {
            "candidates": f"all {self._held_out.num_items} items but the user's seen ones",
            "seen_items": "excluded; a held-out pair seen before is a miss",
            "ties": "pessimistic",
            "mean_over": "users; top_k_categorical_accuracy over rows",
            **self._held_out.summary(),
        }

    def _by_user(self) -> dict[str, np.ndarray]:
        ranks = np.concatenate(self._ranks)
        queries = self._held_out.pair_queries[self._is_candidate]
        hits = found(queries, ranks, self._held_out.num_relevant)
        arrays = {"mrr": ranking.mrr(hits, np.array([np.inf]))[:, 0]}
        for name in names(ranking):
            values = getattr(ranking, name)(hits, self._cutoffs)  # [Q, C]
            arrays |= {f"{name}@{k}": values[:, c] for c, k in enumerate(self._cutoffs)}
        return arrays

    def _by_row(self) -> dict[str, np.ndarray]:
        ranks = np.full(len(self._is_candidate) + 1, MISSED)  # the last is that of unknown items
        ranks[:-1][self._is_candidate] = np.concatenate(self._row_ranks)
        return top_k_accuracies(ranks[self._held_out.row_pairs], self._cutoffs)

    def _of_catalogue(self) -> dict[str, float | None]:
        metrics: dict[str, float | None] = {}
        for exposure, cutoff in zip(np.cumsum(self._exposures, axis=0), self._cutoffs, strict=True):
            metrics[f"coverage@{cutoff}"] = catalogue.coverage(exposure)
            metrics[f"popularity@{cutoff}"] = catalogue.popularity(exposure, self._percentiles)
            metrics[f"gini@{cutoff}"] = catalogue.gini(exposure)
        return metrics


def top_k_accuracies(ranks: np.ndarray, cutoffs: np.ndarray) -> dict[str, np.ndarray]:
    """Whether each row's target ranks [N] within each cut-off, by the name that TFRS gave it."""
    return {f"top_{k}_categorical_accuracy": ranks <= k for k in cutoffs}
