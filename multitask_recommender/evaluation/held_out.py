"""Held-out interactions, arranged by user for ranking: prepared once, used by every scorer."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from multitask_recommender import columns
from multitask_recommender.interactions import Interactions
from multitask_recommender.pairs import are_among, distinct


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """The distinct relevant items of each user, and what the user has met before.

    A cell is a position in the [Q, I] scores of all users: `query * I + item - 1`. Relevant items
    outside the vocabulary have no cell: they count in num_relevant, and can only be missed. So
    are pairs that were seen before, wherever seen items are no candidates.
    """

    users: np.ndarray  # int32 [Q] ascending ids; those outside the vocabulary included
    queries: np.ndarray  # int32 [Q] the same, with 0 for users outside the vocabulary
    num_items: int  # I, items of the vocabulary
    num_relevant: np.ndarray  # int64 [Q]
    relevant_cells: np.ndarray  # int64 [P] ascending
    pair_queries: np.ndarray  # int64 [P] the query of each relevant cell
    is_repeated: np.ndarray  # bool [P] the pair was seen before
    seen_cells: np.ndarray  # int64 [S] ascending, distinct
    row_queries: np.ndarray  # int64 [N] the query of each held-out row
    row_pairs: np.ndarray  # int64 [N] its position among the relevant cells; -1 for unknown items

    @property
    def num_unseen(self) -> np.ndarray:
        """How many items of the vocabulary each user has not seen, [Q]."""
        bounds = np.arange(len(self.queries) + 1) * self.num_items
        return self.num_items - np.diff(np.searchsorted(self.seen_cells, bounds))

    def within(self, cells: np.ndarray, block: slice) -> slice:
        """Where the (ascending) cells of a block of queries lie."""
        bounds = np.array([block.start, block.stop]) * self.num_items
        return slice(*np.searchsorted(cells, bounds).tolist())

    def summary(self) -> dict[str, int]:
        """Counts for the record of a protocol."""
        return {
            "users": len(self.queries),
            "users_unknown": int((self.queries == 0).sum()),
            "rows": len(self.row_pairs),
            "rows_unknown_user": int((self.queries[self.row_queries] == 0).sum()),
            "rows_unknown_item": int((self.row_pairs < 0).sum()),
            "relevant_pairs": int(self.num_relevant.sum()),
            "relevant_pairs_seen_before": int(self.is_repeated.sum()),
        }


def arrange(seen: Sequence[Interactions], held_out: Interactions) -> HeldOut:
    """Arranges the rows of held_out by user, next to what the same users met in `seen`."""
    num_items, num_rows = held_out.num_items, len(held_out.items.raw_ids)
    users, row_queries = np.unique(held_out.user_ids, return_inverse=True)
    keys = row_queries * num_rows + held_out.item_ids - 1  # int64, unknown items included
    pairs, row_pairs = np.unique(keys, return_inverse=True)
    queries, items = pairs // num_rows, pairs % num_rows
    is_known = items < num_items
    cells = (queries * num_items + items)[is_known]
    positions = np.where(is_known, np.cumsum(is_known) - 1, -1)
    seen_cells = _seen_cells(seen, users, num_items)
    return HeldOut(
        users=users,
        queries=held_out.users.known(users).astype(np.int32),
        num_items=num_items,
        num_relevant=np.bincount(queries, minlength=len(users)),
        relevant_cells=cells,
        pair_queries=queries[is_known],
        is_repeated=are_among(cells, seen_cells),
        seen_cells=seen_cells,
        row_queries=row_queries,
        row_pairs=positions[row_pairs] if len(positions) else row_pairs,
    )


def _seen_cells(seen: Sequence[Interactions], users: np.ndarray, num_items: int) -> np.ndarray:
    cells = [np.empty(0, np.int64)]
    for part in seen:
        query_of = np.full(max(len(part.users.raw_ids), users.max(initial=0)) + 1, -1)
        query_of[users] = np.arange(len(users))
        for block in columns.blocks(len(part)):
            queries, item_ids = query_of[part.user_ids[block]], part.item_ids[block]
            rows = (queries >= 0) & (item_ids <= num_items)
            cells.append(queries[rows] * num_items + item_ids[rows] - 1)
    return distinct(np.concatenate(cells))
