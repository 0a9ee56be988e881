"""The cascade once more, in numpy over a Scorer: what an export's answers are held against."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np

from multitask_recommender.export.vectors import Arrays, ExpectedQuery, Vectors
from multitask_recommender.schema import HISTORY, ITEM_ID, USER_ID

_TIED = 1e-5  # scores as near as this, relative to large ones, may come in any order


class Scorer(Protocol):
    """As evaluation sees a model (evaluation/scorer.py)."""

    def score_block(self, queries: Mapping[str, np.ndarray]) -> np.ndarray: ...

    def rank(self, queries: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]: ...


@dataclasses.dataclass(frozen=True)
class Asked:
    """One request, in dense ids."""

    user: int
    history: list[int]
    excluded: list[int]  # with what was seen
    k: int
    weights: Mapping[str, float]  # by task
    items: list[int] | None = None  # to be ranked; those that are retrieved, where None


@dataclasses.dataclass(frozen=True)
class Expected:
    """What the model has for a request, computed before it is frozen.

    items [n], dense, in no order; of each, its score and what the labels' tasks predict. `is_tied`
    where an item that just misses being retrieved scores as much as the last that is.
    """

    asked: Asked
    items: np.ndarray
    scores: np.ndarray
    predictions: Arrays
    is_tied: bool

    @property
    def best(self) -> np.ndarray:
        """The scores of the k best, best first."""
        return np.sort(self.scores)[::-1][: self.asked.k]


@dataclasses.dataclass(frozen=True)
class Reference:
    """Answers of a model that has not been frozen.

    Args:
      gains: by label, predictions -> their scale of 0..1.
      retrieval: the name of the task, None for a model that only ranks.
      popularity: [I].
      retrieve: how many candidates are ranked.
      missing: context features of a row that holds none of them.
      vectors: of the items; None for a model that only ranks.
    """

    scorer: Scorer
    gains: Mapping[str, Callable]
    retrieval: str | None
    popularity: np.ndarray
    retrieve: int
    missing: Mapping[str, np.ndarray]
    vectors: Vectors | None = None

    def query(self, asked: Asked) -> ExpectedQuery:
        """What the vector of a query is to give; not for a model that only ranks."""
        return ExpectedQuery.of(self._retrieved(asked), self.vectors)

    def expect(self, asked: Asked) -> Expected:
        told = _told(asked)
        retrieved = self._retrieved(asked)
        items, is_tied = self._candidates(asked, retrieved)
        predictions = self._predictions(asked.user, told, items)
        total = np.zeros(len(items), np.float32)
        for label, values in predictions.items():
            total += np.float32(asked.weights[label]) * np.asarray(self.gains[label](values))
        if self.retrieval is not None:
            total += np.float32(asked.weights[self.retrieval]) * retrieved[items - 1]
        return Expected(asked, items, total, predictions, is_tied)

    def _retrieved(self, asked: Asked) -> np.ndarray:
        """Scores [I] for retrieval."""
        if self.retrieval is None:
            return self.popularity
        user = np.array([asked.user], np.int32)
        return self.scorer.score_block({USER_ID: user, **_told(asked)})[0]

    def _candidates(self, asked: Asked, retrieved: np.ndarray) -> tuple[np.ndarray, bool]:
        """Ids, and whether the last one is tied with what is left."""
        if asked.items is not None:
            return np.array(asked.items, np.int64), False
        scores = retrieved.astype(np.float64)
        scores[np.array(asked.excluded, np.int64) - 1] = -np.inf
        number = max(self.retrieve, asked.k)
        order = _best(scores, number + 1)
        order = order[np.isfinite(scores[order])]
        items, left = order[:number] + 1, order[number:]
        if not len(left):
            return items, False
        last, next_one = scores[items[-1] - 1], scores[left[0]]
        return items, bool(last - next_one <= _TIED * max(abs(last), 1.0))

    def _predictions(self, user: int, told: Arrays, items: Sequence[int]) -> Arrays:
        if not len(items):
            return {label: np.zeros(0, np.float32) for label in self.gains}
        number = len(items)
        rows = {name: np.repeat(each, number, axis=0) for name, each in told.items()}
        rows |= {name: np.repeat(each, number, axis=0) for name, each in self.missing.items()}
        rows |= {USER_ID: np.full(number, user, np.int32), ITEM_ID: np.asarray(items, np.int32)}
        return {label: np.asarray(each) for label, each in self.scorer.rank(rows).items()}


def _best(scores: np.ndarray, number: int) -> np.ndarray:
    """Places of the best of scores [I], best first; of equals, the lower place."""
    places = np.arange(len(scores))
    if number < len(scores):
        # Sorting millions of scores for each request took longer than all else that is proved.
        places = np.flatnonzero(scores >= np.partition(scores, -number)[-number])
    return places[np.argsort(-scores[places], kind="stable")][:number]


def _told(asked: Asked) -> Arrays:
    return {HISTORY: np.array([asked.history], np.int32)} if asked.history else {}
