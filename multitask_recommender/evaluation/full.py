"""The protocol `full`: all items but the user's seen ones, one user one vote."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from multitask_recommender.evaluation.held_out import HeldOut
from multitask_recommender.evaluation.outcome import Outcome, means
from multitask_recommender.metrics import catalogue, names, ranking
from multitask_recommender.metrics.direction import HIGHER, Direction, direction
from multitask_recommender.metrics.found import found
from multitask_recommender.metrics.selection import MISSED, select

_METRICS = names(ranking)
_OF_CATALOGUE = ("coverage", "gini", "overlap", "popularity")
ACCURACY = "top_{}_categorical_accuracy"  # as TFRS calls it
# Arrays of each relevant pair that is a candidate [p]: its rank among all other candidates, and the
# popularity percentile of its item.
PAIR_RANK, PAIR_POPULARITY = "pair_rank", "pair_popularity"


@dataclasses.dataclass(frozen=True)
class Measured:
    """What a block of q users adds."""

    by_user: dict[str, np.ndarray]  # [q, C] by metric; "" is mrr without a cut-off, [q, 1]
    row_ranks: np.ndarray  # float64 [p] of the block's candidate pairs
    shown: np.ndarray  # int64 [q * K] cells of `Full._exposed`: what stands in their lists


class Full:
    """Every metric of metrics/ranking.py by user, per-row accuracy, and the catalogue's share.

    A held-out pair that the user had seen before is no candidate, so it is a miss (and counted in
    the record); so are all of a user who has seen everything. `top_k_categorical_accuracy` has one
    vote a row: the target's rank among all other candidates, the user's other held-out items
    included. A cut-off that nobody's candidates exceed tells nothing, and is left out.
    """

    def __init__(self, held_out: HeldOut, percentiles: np.ndarray, cutoffs: Sequence[int]) -> None:
        """percentiles: of the popularity of each item [I], see metrics/catalogue.py."""
        self._held_out = held_out
        self._percentiles = percentiles
        self._cutoffs = np.array(cutoffs)
        self._most_candidates = int(held_out.num_unseen.max(initial=0))
        self._num_lists = int(np.count_nonzero(held_out.num_unseen))
        # For each of the K places of a list, the first cell of the exposures that it counts in.
        columns = np.searchsorted(self._cutoffs, np.arange(1, self._cutoffs[-1] + 1))
        self._places = columns * (held_out.num_items + 1) + 1
        self._is_candidate = ~held_out.is_repeated
        self._cells = held_out.relevant_cells[self._is_candidate]
        self._queries = held_out.pair_queries[self._is_candidate]
        self._measured: list[Measured] = []
        # How often each item, of which the first is none, stands between a cut-off and the one
        # before, [C * (I + 1)]: one for all blocks, since it is as large as the catalogue.
        self._exposed = np.zeros(len(self._cutoffs) * (held_out.num_items + 1), np.int64)

    def measure(self, scores: np.ndarray, block: slice) -> Measured:
        """Overwrites the scores of seen items."""
        held_out, offset = self._held_out, block.start * self._held_out.num_items
        seen = held_out.seen_cells[held_out.within(held_out.seen_cells, block)] - offset
        scores.reshape(-1)[seen] = -np.inf
        pairs = held_out.within(self._cells, block)
        selection = select(scores, self._cells[pairs] - offset, int(self._cutoffs[-1]))
        return Measured(
            self._by_user(
                self._queries[pairs] - block.start, selection.ranks, held_out.num_relevant[block]
            ),
            selection.row_ranks,
            (selection.items + self._places[: selection.items.shape[1]]).ravel(),
        )

    def add(self, measured: Measured) -> None:
        np.add.at(self._exposed, measured.shown, 1)
        self._measured.append(dataclasses.replace(measured, shown=measured.shown[:0]))

    def outcome(self) -> Outcome:
        parts = self._measured or [self._nothing()]
        arrays = {"mrr": np.concatenate([part.by_user[""] for part in parts])[:, 0]}
        for name in _METRICS:
            values = np.concatenate([part.by_user[name] for part in parts])  # [Q, C]
            arrays |= {f"{name}@{k}": values[:, c] for c, k in enumerate(self._cutoffs)}
        pair_ranks = np.concatenate([part.row_ranks for part in parts])
        arrays |= self._by_row(pair_ranks)
        exposures = self._exposed.reshape(len(self._cutoffs), -1)[:, 1:]
        told = self.directions()
        arrays = {name: values for name, values in arrays.items() if name in told}
        of_catalogue = self._of_catalogue(exposures).items()
        popularity = self._percentiles[self._cells % max(self._held_out.num_items, 1)]
        return Outcome(
            means(arrays).metrics | {name: value for name, value in of_catalogue if name in told},
            arrays | {PAIR_RANK: pair_ranks, PAIR_POPULARITY: popularity[: len(pair_ranks)]},
        )

    def directions(self) -> dict[str, Direction | None]:
        if self._most_candidates < 2:
            return {}
        found = {"mrr": direction(ranking.mrr)}
        for k in self._cutoffs[self._cutoffs < self._most_candidates]:
            found |= {f"{name}@{k}": direction(getattr(ranking, name)) for name in _METRICS}
            found[ACCURACY.format(k)] = HIGHER
            found |= {f"{name}@{k}": direction(getattr(catalogue, name)) for name in _OF_CATALOGUE}
            if self._num_lists < 2:
                del found[f"overlap@{k}"]
        return found

    def record(self) -> dict[str, Any]:
        return {
            "candidates": f"all {self._held_out.num_items} items but the user's seen ones",
            "seen_items": "excluded; a held-out pair seen before is a miss",
            "ties": "pessimistic",
            "mean_over": "users; top_k_categorical_accuracy over rows",
            "cutoffs_left_out": self._cutoffs[self._cutoffs >= self._most_candidates].tolist(),
            "users_without_candidates": int((self._held_out.num_unseen == 0).sum()),
            **self._held_out.summary(),
        }

    def _nothing(self) -> Measured:
        """Where there are no items, or no users."""
        none = np.empty(0)
        by_user = self._by_user(none.astype(np.int64), none, self._held_out.num_relevant)
        return Measured(by_user, none, none)

    def _by_user(
        self, queries: np.ndarray, ranks: np.ndarray, num_relevant: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Values [q, C] by metric, from the queries 0..q-1 and ranks [p] of relevant items."""
        hits = found(queries, ranks, num_relevant)
        values = {"": ranking.mrr(hits, np.array([np.inf]))}
        return values | {name: getattr(ranking, name)(hits, self._cutoffs) for name in _METRICS}

    def _by_row(self, row_ranks: np.ndarray) -> dict[str, np.ndarray]:
        ranks = np.full(len(self._is_candidate) + 1, MISSED)  # the last is that of unknown items
        ranks[:-1][self._is_candidate] = row_ranks
        return top_k_accuracies(ranks[self._held_out.row_pairs], self._cutoffs)

    def _of_catalogue(self, exposures: np.ndarray) -> dict[str, float | None]:
        metrics: dict[str, float | None] = {}
        for exposure, cutoff in zip(np.cumsum(exposures, axis=0), self._cutoffs, strict=True):
            metrics[f"coverage@{cutoff}"] = catalogue.coverage(exposure)
            metrics[f"overlap@{cutoff}"] = catalogue.overlap(exposure, self._num_lists)
            metrics[f"popularity@{cutoff}"] = catalogue.popularity(exposure, self._percentiles)
            metrics[f"gini@{cutoff}"] = catalogue.gini(exposure)
        return metrics


def top_k_accuracies(ranks: np.ndarray, cutoffs: np.ndarray) -> dict[str, np.ndarray]:
    """Whether each row's target ranks [N] within each cut-off, by name."""
    return {ACCURACY.format(k): ranks <= k for k in cutoffs}
