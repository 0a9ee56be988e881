"""What is recommended, and what was relevant, as tables of raw ids for others to judge."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from multitask_recommender.evaluation.fold_in import Histories
from multitask_recommender.evaluation.held_out import arrange
from multitask_recommender.evaluation.scorer import Scorer, in_blocks
from multitask_recommender.interactions import Interactions
from multitask_recommender.metrics.selection import select

if TYPE_CHECKING:
    import polars as pl

_BLOCK_MEGABYTES = 64
_NOTHING_RELEVANT = np.empty(0, np.int64)


def recommendations(
    scorer: Scorer,
    users: np.ndarray,
    seen: Sequence[Interactions],
    k: int = 100,
    fold_in: Interactions | None = None,
) -> "pl.DataFrame":
    """The k best items that each of the users (dense ids) has not seen: user, rank, item, score.

    Raw ids; ranks begin at 1; ties by item id. A user who has seen almost everything gets fewer.
    Tables of users and items are those of seen[0]. fold_in: what the scorer is told of the users by
    their history, which they have seen as well.
    """
    import polars as pl

    tables = seen[0]
    ids = np.unique(users).astype(np.int32)
    met = [*seen, *([] if fold_in is None else [fold_in])]
    held_out = arrange(met, _rows_of(tables, ids))
    histories = Histories(fold_in)

    def measure(scores: np.ndarray, block: slice) -> tuple[np.ndarray, np.ndarray]:
        cells = held_out.seen_cells[held_out.within(held_out.seen_cells, block)]
        scores.reshape(-1)[cells - block.start * held_out.num_items] = -np.inf
        items = select(scores, _NOTHING_RELEVANT, k).items  # [q, K]
        return items, np.take_along_axis(scores, np.maximum(items, 0), axis=1)

    frames = [_frame(np.empty(0, np.int64), np.empty((0, k), int), np.empty((0, k)), tables)]
    start = 0
    for items, scores in in_blocks(scorer, held_out, histories, _BLOCK_MEGABYTES, measure):
        frames.append(_frame(ids[start : start + len(items)], items, scores, tables))
        start += len(items)
    return pl.concat(frames)


def relevant_pairs(held_out: Interactions, positives: np.ndarray | None = None) -> "pl.DataFrame":
    """The distinct relevant pairs: user and item by raw id, then labels (null where unobserved).

    positives: bool [N], the rows to be retrieved. Of a repeated pair, the last row counts.
    """
    import polars as pl

    rows = held_out if positives is None else held_out.take(positives)
    labels = {
        name: pl.Series(np.where(rows.is_observed(name), values, np.nan)).fill_nan(None)
        for name, values in rows.labels.items()
    }
    frame = pl.DataFrame({**_raw_ids(rows, rows.user_ids, rows.item_ids), **labels})
    return frame.unique(["user", "item"], keep="last", maintain_order=True)


def _rows_of(tables: Interactions, users: np.ndarray) -> Interactions:
    """One row a user, so that `arrange` lines their seen items up; the item does not matter."""
    return Interactions(users, np.ones_like(users), tables.users, tables.items)


def _frame(
    users: np.ndarray, items: np.ndarray, scores: np.ndarray, tables: Interactions
) -> "pl.DataFrame":
    import polars as pl

    lines, ranks = np.nonzero(items >= 0)
    ids = _raw_ids(tables, users[lines], items[lines, ranks] + 1)
    return pl.DataFrame(
        {
            "user": ids["user"],
            "rank": (ranks + 1).astype(np.int32),
            "item": ids["item"],
            "score": scores[lines, ranks].astype(np.float32),
        }
    )


def _raw_ids(tables: Interactions, users: np.ndarray, items: np.ndarray) -> dict[str, np.ndarray]:
    return {"user": tables.users.raw_ids[users - 1], "item": tables.items.raw_ids[items - 1]}
