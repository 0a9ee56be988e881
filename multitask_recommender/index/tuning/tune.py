"""Searches the settings of an index until it finds enough of what an exact search finds.

What is chosen does not depend on the clock: among settings that reach the target, those that read
the least (`cost`). So the same vectors, queries and seed make the same index on any machine.
"""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from multitask_recommender.errors import RunError
from multitask_recommender.index import brute_force
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

    index: Any  # as the files of index/ hold
    name: str  # of its file
    chosen: Point
    curve: Sequence[Point]  # all that was tried, in order of recall
    note: str  # why it is not the index that was asked for; or nothing


class _Search:
    """What was tried of an index so far, and the one that was built last."""

    def __init__(self, kind: Any, vectors: np.ndarray, held_out: HeldOut, target: float) -> None:
        self._kind, self._vectors, self._held_out = kind, vectors, held_out
        self._target = target
        self._index: Any = None
        self.points: list[Point] = []

    def best(self) -> Point | None:
        reaching = [point for point in self.points if point.recall >= self._target]
        return min(reaching, key=lambda point: self._cost(point.settings), default=None)

    def climb(self, ladder: Sequence[IndexSettings]) -> None:
        """Tries settings until some reach the target, and then those just below them.

        None that cost as much as the best so far; without one, the last too.
        """
        best = self.best()
        limit = np.inf if best is None else self._cost(best.settings)
        rungs = [settings for settings in ladder if self._cost(settings) < limit]
        below = -1
        for rung in [*range(0, len(rungs) - 1, _STRIDE), len(rungs) - 1] if rungs else []:
            if self._reaches(rungs[rung]):
                for between in range(below + 1, rung):
                    if self._reaches(rungs[between]):
                        break
                return
            below = rung

    def index(self, settings: IndexSettings) -> Any:
        """That index, of which no two are in memory at a time."""
        if self._index is None or self._index.settings.built_with != settings.built_with:
            self._index = None
            self._index = self._kind(settings, self._vectors)
        return self._index.searching(settings)

    def _reaches(self, settings: IndexSettings) -> bool:
        recall, rate = self._held_out.measure(self.index(settings))
        self.points.append(Point(settings, recall, rate / self._held_out.exact_rate))
        return recall >= self._target

    def _cost(self, settings: IndexSettings) -> float:
        return settings.cost(len(self._vectors))


def tune(
    kind: Any,
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
    note, name = "", _name(kind)
    if len(vectors) < kind.MIN_ITEMS:
        note = (
            f"{len(vectors)} items are too few for {name}, which takes {kind.MIN_ITEMS}: "
            f"the index is {_name(brute_force.Index)}."
        )
        kind, settings = brute_force.Index, Everything()
    search = _Search(kind, vectors, HeldOut.of(vectors, queries, cutoff), target)
    for _, ladders in itertools.groupby(
        settings.ladders(len(vectors), cutoff), key=lambda ladder: ladder[0].built_with
    ):
        best = search.best()
        for ladder in ladders:
            search.climb(ladder)
        if best is not None and search.best() is best:
            break  # still more leaves cost still more
    chosen = search.best()
    if chosen is None:
        raise RunError(_refusal(name, search.points, len(queries), target, cutoff))
    index = search.index(chosen.settings)
    curve = sorted(search.points, key=lambda point: point.recall)
    return Tuned(index, _name(kind), chosen, curve, note)


def _name(kind: Any) -> str:
    return kind.__module__.rpartition(".")[2]


def _refusal(
    name: str, points: Sequence[Point], num_queries: int, target: float, cutoff: int
) -> str:
    best = max(points, key=lambda point: point.recall)
    given = ", ".join(f"{key} {value}" for key, value in best.settings.model_dump().items())
    return (
        f"The index {name} finds {best.recall:.4f} of the exact best {cutoff} of {num_queries} "
        f"held-out queries ({given}), below the target of {target:g}: search more leaves, lower "
        f"the target, or choose {_name(brute_force.Index)}."
    )
