"""The cascade once more, in numpy over a Scorer: what an export's answers are held against."""

import dataclasses
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from multitask_recommender.schema import HISTORY, ITEM_ID, USER_ID

Arrays = dict[str, np.ndarray]


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


@dataclasses.dataclass(frozen=True)
class Reference:
    """Answers of a model that has not been frozen.

    Args:
      gains: by label, predictions -> their scale of 0..1.
      retrieval: the name of the task, None for a model that only ranks.
      popularity: [I].
      retrieve: how many candidates are ranked.
      missing: context features of a row that holds none of them.
    """

    scorer: Scorer
    gains: Mapping
    retrieval: str | None
    popularity: np.ndarray
    retrieve: int
    missing: Mapping[str, np.ndarray]

    def recommend(self, asked: Asked) -> Arrays:
        """`item_ids` (dense) [n], `scores` [n] and predictions [n] by label; n is k at the most."""
        found = self.of_items(asked, np.arange(1, len(self.popularity) + 1))
        scores = found["retrieved"].copy()
        scores[np.array(asked.excluded, np.int64) - 1] = -np.inf
        number = min(max(self.retrieve, asked.k), int(np.isfinite(scores).sum()))
        candidates = np.argsort(-scores, kind="stable")[:number]
        best = candidates[np.argsort(-found["scores"][candidates], kind="stable")[: asked.k]]
        return {name: values[best] for name, values in found.items()}

    def of_items(self, asked: Asked, items: np.ndarray) -> Arrays:
        """The same of these items, in their order, and what each has as `retrieved` score."""
        users = np.full(len(items), asked.user, np.int32)
        told = {HISTORY: np.array([asked.history], np.int32)} if asked.history else {}
        retrieved = self.popularity
        if self.retrieval is not None:
            retrieved = self.scorer.score_block({USER_ID: users[:1], **told})[0]
        retrieved = retrieved[items - 1]
        rows = {name: np.repeat(each, len(items), axis=0) for name, each in told.items()}
        rows |= {name: np.repeat(each, len(items), axis=0) for name, each in self.missing.items()}
        rows |= {USER_ID: users, ITEM_ID: items.astype(np.int32)}
        predictions = {label: np.asarray(each) for label, each in self.scorer.rank(rows).items()}
        total = np.zeros(len(items), np.float32)
        for label, values in predictions.items():
            total += np.float32(asked.weights[label]) * np.asarray(self.gains[label](values))
        if self.retrieval is not None:
            total += np.float32(asked.weights[self.retrieval]) * retrieved
        return {"item_ids": items, "scores": total, **predictions, "retrieved": retrieved}
