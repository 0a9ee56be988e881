"""Searches the settings of an index until it finds enough of what an exact search finds.

What is chosen does not depend on the clock: among settings that reach the target, those that read
the least (`cost`). So the same vectors, queries and seed make the same index on any machine, where
building is deterministic. Where it is not, what counts was measured on the index that is returned.
"""

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from multitask_recommender.errors import RunError
from multitask_recommender.index import brute_force
from multitask_recommender.index._index import BaseIndex
from multitask_recommender.index.settings._search import IndexSettings
from multitask_recommender.index.settings.brute_force import Settings as Everything
from multitask_recommender.index.tuning.recall import HeldOut

_STRIDE = 4  # steps of a ladder from one try to the next, until one reaches the target


@dataclasses.dataclass(frozen=True)
class Point:
    """Settings that were tried, and what they gave on held-out queries."""

    settings: IndexSettings
    recall: float  # of the exact best, the mean over queries
    speed: float  # queries a second, as a multiple of the exact search's, in the same batches


@dataclasses.dataclass(frozen=True)
class Tuned:
    """An index that reaches the target, and how it was found."""

    index: BaseIndex | None  # None in what `without_index` gives
    name: str  # of its file
    chosen: Point
    curve: Sequence[Point]  # all that was tried, in order of recall
    note: str  # why it is not the index that was asked for; or nothing

    def without_index(self) -> "Tuned":
        """How it was found alone: the index takes memory."""
        return dataclasses.replace(self, index=None)


def tune(
    kind: type[BaseIndex],
    settings: IndexSettings,
    vectors: np.ndarray,
    queries: np.ndarray,
    target: float = 0.99,
    cutoff: int = 100,
) -> Tuned:
    """An index over vectors [I, D] whose recall at the cutoff is the target or more.

    kind is the class `Index` of a file of index/, settings are its own: what they give is taken as
    it is, and what they leave open is searched for. queries [Q, D] are held out. Raises RunError,
    with the recall, where nothing reaches the target.
    """
    note = ""
    if len(vectors) < kind.MIN_ITEMS:
        note = (
            f"{len(vectors)} items are too few for {_name(kind)}, which takes {kind.MIN_ITEMS}: "
            f"the index is {_name(brute_force.Index)}."
        )
        kind, settings = brute_force.Index, Everything()
    held_out = HeldOut.of(vectors, queries, cutoff)
    search = _Search(held_out, target, len(vectors))
    ladders = settings.ladders(len(vectors), cutoff)
    builds = [list(each) for _, each in itertools.groupby(ladders, lambda e: e[0].built_with)]
    index, chosen = None, None
    for build in builds:
        index = None  # no two are in memory at a time
        index, before = kind(build[0][0], vectors), chosen
        chosen = search.climb(index, build)
        if before is not None and chosen is before:
            break  # still more leaves cost still more
    points = search.points
    if chosen is not None and index.settings.built_with != chosen.settings.built_with:
        index = None
        index = kind(chosen.settings, vectors)
        again = _Search(held_out, target, len(vectors))
        build = next(each for each in builds if chosen.settings in itertools.chain(*each))
        chosen = again.climb(index, [[chosen.settings]]) or again.climb(index, build)
        points = [*points, *again.points]
    if chosen is None:
        raise RunError(_refusal(_name(kind), points, held_out, target))
    curve = sorted(points, key=lambda point: point.recall)
    index = index.searching(chosen.settings).shared()
    return Tuned(index, _name(kind), chosen, curve, note)


class _Search:
    """What was tried so far."""

    def __init__(self, held_out: HeldOut, target: float, num_items: int) -> None:
        self._held_out, self._target, self._num_items = held_out, target, num_items
        self._best: Point | None = None
        self.points: list[Point] = []

    def climb(self, index: BaseIndex, ladders: Sequence[Sequence[IndexSettings]]) -> Point | None:
        """The cheapest point that reaches the target, of these ladders and all climbed before.

        Of each ladder, a few are tried until one reaches it, and then those just below. None that
        cost as much as the best so far.
        """
        for ladder in ladders:
            self._climb(index, [each for each in ladder if self._cost(each) < self._limit()])
        return self._best

    def _climb(self, index: BaseIndex, rungs: Sequence[IndexSettings]) -> None:
        for start in range(0, len(rungs), _STRIDE):
            last = min(start + _STRIDE, len(rungs)) - 1
            if self._reaches(index, rungs[last]):
                any(self._reaches(index, rung) for rung in rungs[start:last])
                return

    def _reaches(self, index: BaseIndex, settings: IndexSettings) -> bool:
        recall, rate = self._held_out.measure(index.searching(settings))
        point = Point(settings, recall, rate / self._held_out.exact_rate)
        self.points.append(point)
        reaches = recall >= self._target
        if reaches and self._cost(settings) < self._limit():
            self._best = point
        return reaches

    def _limit(self) -> float:
        return np.inf if self._best is None else self._cost(self._best.settings)

    def _cost(self, settings: IndexSettings) -> float:
        return settings.cost(self._num_items)


def _name(kind: type[BaseIndex]) -> str:
    return kind.__module__.rpartition(".")[2]


def _refusal(name: str, points: Sequence[Point], held_out: HeldOut, target: float) -> str:
    best = max(points, key=lambda point: point.recall)
    given = ", ".join(f"{key} {value}" for key, value in best.settings.model_dump().items())
    num_queries, cutoff = held_out.best.shape
    return (
        f"The index {name} finds {best.recall:.4f} of the exact best {cutoff} of {num_queries} "
        f"held-out queries ({given}), below the target of {target:g}: let it search more, lower "
        f"the target, or choose {_name(brute_force.Index)}."
    )
