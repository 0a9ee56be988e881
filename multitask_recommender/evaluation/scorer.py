"""What evaluation asks of a model, a baseline, an ensemble or an oracle; and how it asks."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np

from multitask_recommender import threads
from multitask_recommender.errors import RunError
from multitask_recommender.evaluation.fold_in import NO_HISTORIES, Histories
from multitask_recommender.evaluation.held_out import HeldOut
from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import USER_ID

Measured = TypeVar("Measured")

_ROWS_AT_ONCE = 2**16
_CACHED_BYTES = 8 << 20  # smaller blocks cost more calls, larger ones more trips to memory
_EFFICIENT_ROWS = 128  # with fewer rows a matrix product is slow, however large the catalogue


class Predictor(Protocol):
    """Predicts labels of pairs. Id 0 is the unknown user or item."""

    def rank(self, queries: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """Predictions float32 [B] by label, for `user_id` and `item_id` int32 [B].

        Beside these the queries hold the rows' other inputs (Interactions.inputs), for those who
        read them, and HISTORY as in `Scorer.score_block`. Probabilities for binary labels, stars
        for ratings; labels it cannot predict are left out.
        """
        ...


@runtime_checkable
class Scorer(Predictor, Protocol):
    """Scores items for users too. Where a predictor is none, rankings are not computed."""

    def score_block(self, queries: Mapping[str, np.ndarray]) -> np.ndarray:
        """Scores float32 [Q, I] of all items for `user_id` int32 [Q]; column c is item c + 1.

        The queries may hold HISTORY int32 [Q, T]: items of the vocabulary that the user has met,
        oldest first, 0-padded on the right. A history that is given counts instead of what training
        tells of the user; a row of zeros means that none was given.

        The array is the caller's to overwrite. Called from several threads.
        """
        ...


class Clock:
    """How long the scoring of users takes, in whichever threads it happens."""

    def __init__(self) -> None:
        self._spent: list[tuple[float, int]] = []  # seconds, users; appending is safe in threads

    def score(self, scorer: Scorer, queries: Mapping[str, np.ndarray]) -> np.ndarray:
        """What the scorer scores, timed."""
        started = time.perf_counter()
        scores = scorer.score_block(queries)
        self._spent.append((time.perf_counter() - started, len(queries[USER_ID])))
        return scores

    @property
    def milliseconds_per_user(self) -> float | None:
        """None where nobody was scored."""
        seconds, users = (sum(each) for each in zip((0.0, 0), *self._spent, strict=True))
        return 1000 * seconds / users if users else None


def in_blocks(
    scorer: Scorer,
    held_out: HeldOut,
    histories: Histories,
    megabytes: int,
    measure: Callable[[np.ndarray, slice], Measured],
    clock: Clock | None = None,
) -> Iterator[Measured]:
    """Yields measure(scores [q, I], positions in held_out.queries) over blocks of them, in order.

    Blocks go to threads. Raises RunError where the scores have the wrong shape.
    """
    clock = clock or Clock()

    def work(block: slice) -> Measured:
        scores = clock.score(scorer, histories.queries(held_out, block))
        expected = (len(held_out.queries[block]), held_out.num_items)
        if np.shape(scores) != expected:
            raise RunError(
                f"{type(scorer).__name__}.score_block returned scores of shape "
                f"{np.shape(scores)}, expected {expected}: one column for each known item."
            )
        return measure(np.require(scores, np.float32, ["C", "W"]), block)

    blocks = block_slices(len(held_out.queries), held_out.num_items, megabytes)
    if len(blocks) <= 1:
        yield from map(work, blocks)
        return
    yield from threads.side_by_side(work, blocks)


def rank_rows(
    scorer: Predictor, rows: Interactions, histories: Histories = NO_HISTORIES
) -> dict[str, np.ndarray]:
    """Predictions [N] by label of some events, a bounded number of them at a time."""

    def rank(block: slice) -> Mapping[str, np.ndarray]:
        times = None if rows.timestamps is None else rows.timestamps[block]
        return scorer.rank({**rows.inputs(block), **histories.of(rows.user_ids[block], times)})

    starts = range(0, len(rows), _ROWS_AT_ONCE)
    parts = [rank(slice(start, start + _ROWS_AT_ONCE)) for start in starts]
    labels = parts[0] if parts else {}
    return {label: np.concatenate([np.asarray(part[label]) for part in parts]) for label in labels}


def block_slices(num_users: int, num_items: int, megabytes: int) -> list[slice]:
    """Blocks within the bound that stay in the cache, and one or more for every worker."""
    row_bytes = 4 * max(num_items, 1)
    cached = max(_CACHED_BYTES // row_bytes, _EFFICIENT_ROWS)
    within_bound = (megabytes << 20) // row_bytes
    size = max(1, min(within_bound, cached, -(-num_users // threads.num_workers())))
    return [slice(start, start + size) for start in range(0, num_users, size)]
