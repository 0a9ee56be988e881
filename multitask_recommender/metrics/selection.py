"""The best of every row of scores, and where the relevant items stand among them.

Exact, and faster than sorting or partitioning whole rows: the K-th largest of disjoint groups'
maxima is a floor that at least K items reach and, with enough groups, few more do. Only those
survivors are sorted, each as one integer that holds the score, whether the item is relevant, and
the item: ties are settled by the sort itself.
"""

import dataclasses

import numpy as np

from multitask_recommender.errors import RunError
from multitask_recommender.schema import NO_SCORE

MISSED = np.inf  # the rank of a relevant item that was not found

_NOTHING = np.int64(-(2**63) | 0xFFFFFFFF)  # sorts below every score, and is not relevant
_SIGN = np.int32(-(2**31))


@dataclasses.dataclass(frozen=True)
class Selection:
    """What a block of scores recommends, and the ranks of its P relevant cells.

    Ranks begin at 1 and are exact down to the depth; deeper ones are MISSED, except that `ranks`
    is exact for each query's first relevant item. Ties are pessimistic.
    """

    items: np.ndarray  # int32 [Q, K] columns, best first; -1 where candidates ran out
    ranks: np.ndarray  # float64 [P]: non-relevant items at or above, plus place among relevant ones
    row_ranks: np.ndarray  # float64 [P]: all other items at or above, plus one


def select(scores: np.ndarray, relevant: np.ndarray, depth: int) -> Selection:
    """Selects from scores (float32 [Q, I], contiguous; -inf is no candidate) down to `depth`.

    relevant: ascending, distinct flat positions [P] in scores, below 2**31.
    Raises RunError where a score is not a number.
    """
    num_queries, num_items = scores.shape
    floor = _floor(scores, min(depth, num_items))
    reached = _reached(scores, floor)
    cells = _true_positions(reached)  # [S], row by row
    found = reached[relevant]
    reached[relevant] = False  # from here on: reached, but not relevant
    starts = np.arange(num_queries + 1, dtype=np.int32) * num_items
    counts = np.diff(np.searchsorted(cells, starts))
    keys = _sorted_keys(scores, cells, reached[cells], counts)  # [Q, W], best last
    low = keys.astype(np.int32)  # the lower half
    width = low.shape[1]

    hits = np.flatnonzero(low >= 0)
    order = np.argsort(~low.ravel()[hits] & ~_SIGN)  # by cell: as `relevant` is ordered
    places = hits[order]
    columns = places % width if width else places
    ranks = np.full(len(relevant), MISSED)
    ranks[found] = width - columns
    row_ranks = np.full(len(relevant), MISSED)
    row_ranks[found] = width - _first_of_ties(keys, places, columns)
    ranks[ranks > depth] = MISSED
    row_ranks[row_ranks > depth] = MISSED
    rows = np.repeat(np.arange(num_queries), np.diff(np.searchsorted(relevant, starts)))
    _find_first(scores, relevant, rows, ranks)
    return Selection(_items(low, counts, num_items, depth), ranks, row_ranks)


def check_numbers(scores: np.ndarray) -> None:
    """Raises RunError if any score [Q, I] is not a number."""
    if not np.isnan(scores.max(initial=0.0)):  # the maximum passes them on
        return
    row = int(np.argmax(np.isnan(scores).any(axis=1)))
    column = int(np.argmax(np.isnan(scores[row])))
    raise RunError(
        f"The score of item {column + 1} is not a number (row {row} of a block of {len(scores)} "
        "queries): the model has diverged; lower training.learning_rate."
    )


def _floor(scores: np.ndarray, count: int) -> np.ndarray:
    """For each row, a score [Q] that at least `count` items reach, where that many are finite."""
    num_queries, num_items = scores.shape
    size = 1 << int(np.log2(max(1, num_items / (2 * count))))  # leaves at least 2 groups an item
    width = num_items // size
    groups = scores[:, : size * width].reshape(num_queries, size, width)
    maxima = np.maximum.reduce(groups, axis=1)  # [Q, I / size]; the few last items are left out
    maxima.sort(axis=1)  # so narrow that a partition takes longer
    best = maxima[:, width - count :]  # numpy sorts what is not a number to the end
    if np.isnan(best.max()) or np.isnan(scores[:, size * width :]).any():
        check_numbers(scores)
    return np.maximum(best[:, 0], NO_SCORE)  # what is no candidate never reaches it


def _reached(scores: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """Which cells reach their row's floor: bool, flat, padded with False to whole words."""
    reached = np.empty(-(-scores.size // 8) * 8, bool)
    reached[scores.size :] = False
    np.greater_equal(scores, floor[:, None], out=reached[: scores.size].reshape(scores.shape))
    return reached


def _true_positions(mask: np.ndarray) -> np.ndarray:
    """`np.flatnonzero` of a sparse mask, twice as fast: empty words are skipped."""
    words = mask.view(np.uint64)
    filled = np.flatnonzero(words != 0).astype(np.int32)
    inner = np.flatnonzero(words[filled].view(bool)).astype(np.int32)
    return (filled << 3)[inner >> 3] + (inner & 7)


def _sorted_keys(
    scores: np.ndarray, cells: np.ndarray, is_other: np.ndarray, counts: np.ndarray
) -> np.ndarray:
    """Rows of ascending keys [Q, W]: score, then non-relevant above relevant, then lower ids."""
    bits = (scores.ravel()[cells] + np.float32(0)).view(np.int32)  # + 0 makes one zero of two
    halves = np.empty((len(cells), 2), np.int32)
    halves[:, 1] = bits ^ ((bits >> 31) & ~_SIGN)  # integers in the order of the floats
    halves[:, 0] = (~cells & ~_SIGN) | (is_other.astype(np.int32) << 31)
    keys = np.full((len(counts), counts.max(initial=0)), _NOTHING)
    keys[np.arange(keys.shape[1]) < counts[:, None]] = halves.astype("<i4").view("<i8").ravel()
    keys.sort(axis=1)
    return keys


def _first_of_ties(keys: np.ndarray, places: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The lowest column [H] of a score equal to that at each (flat) place of sorted keys."""
    scores = keys >> 32
    before = scores.ravel()[np.maximum(places - 1, 0)]
    if not ((before == scores.ravel()[places]) & (columns > 0)).any():
        return columns
    begins = np.zeros(keys.shape, np.int32)
    changes = scores[:, 1:] != scores[:, :-1]
    begins[:, 1:] = np.where(changes, np.arange(1, keys.shape[1], dtype=np.int32), 0)
    return np.maximum.accumulate(begins, axis=1).ravel()[places]


def _items(low: np.ndarray, counts: np.ndarray, num_items: int, depth: int) -> np.ndarray:
    best = low[:, : -depth - 1 : -1]  # [Q, K]
    rows = np.arange(len(low), dtype=np.int32)[:, None]
    items = (~best & ~_SIGN) - rows * num_items
    return np.where(np.arange(best.shape[1]) < counts[:, None], items, -1)


def _find_first(
    scores: np.ndarray, relevant: np.ndarray, rows: np.ndarray, ranks: np.ndarray
) -> None:
    """Counts out, in place, the rank of the first relevant item of queries without any found."""
    is_found = np.zeros(len(scores), bool)
    is_found[rows[ranks < MISSED]] = True
    lost = np.flatnonzero(~is_found[rows])
    if not len(lost):
        return
    values, rows = scores.ravel()[relevant[lost]], rows[lost]
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    best = np.maximum.reduceat(values, starts)
    ties = values == np.repeat(best, np.diff(starts, append=len(lost)))
    first = np.minimum.reduceat(np.where(ties, lost, len(ranks)), starts)
    # Row by row: all of these rows side by side would be a copy as large as the scores.
    lost_rows = zip(rows[starts].tolist(), best, strict=True)
    at_or_above = [np.count_nonzero(scores[row] >= value) for row, value in lost_rows]
    exact = at_or_above - np.add.reduceat(ties.astype(np.int64), starts) + 1
    ranks[first] = np.where(best >= NO_SCORE, exact, MISSED)
