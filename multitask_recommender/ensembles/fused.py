"""Scorers as one scorer, for evaluation."""

import threading
import time
from collections.abc import Mapping, Sequence

import numpy as np

from multitask_recommender.ensembles import fusion
from multitask_recommender.ensembles.recipe import RECIPROCAL_RANK, Blend
from multitask_recommender.evaluation import Predictor
from multitask_recommender.evaluation.labels import RATING


class Labels:
    """A predictor that scores no items, whatever else it could."""

    def __init__(self, predictor: Predictor) -> None:
        self.rank = predictor.rank


class Fused:
    """Adds what its members say, by a blend for each task.

    Args:
      predictors: the members; those with a weight in the blend of retrieval score items.
      method: of recipe.METHODS; it says how scores become comparable.
      blends: by task.
      retrieval: the name of the task that ranks items, None without one.
      kinds: of labels, "binary" or "rating".

    `seconds` [M] is the time that each member has taken to score items so far, summed over threads.
    """

    def __init__(
        self,
        predictors: Sequence[Predictor],
        method: str,
        blends: Mapping[str, Blend],
        retrieval: str | None,
        kinds: Mapping[str, str],
    ) -> None:
        self._predictors = list(predictors)
        self._scale = fusion.reciprocal_ranks if method == RECIPROCAL_RANK else fusion.standardised
        self._retrieval = blends.get(retrieval) if retrieval is not None else None
        self._labels = {label: blends[label] for label in kinds if label in blends}
        self._kinds = kinds
        self.seconds = np.zeros(len(predictors))
        self._lock = threading.Lock()

    def score_block(self, queries: Mapping[str, np.ndarray]) -> np.ndarray:
        """Fused scores [Q, I]; column c is item c + 1."""
        if self._retrieval is None:
            raise ValueError("No member of the ensemble retrieves, so it does not score items.")
        total = 0.0
        for place, weight in enumerate(self._retrieval.weights):
            if weight:
                total = total + np.float32(weight) * self._scores(place, queries)
        return total

    def rank(self, queries: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """{label: probabilities or stars [B]}, of the members that predict it."""
        if not self._labels:
            return {}
        said = [predictor.rank(queries) for predictor in self._predictors]
        return {
            label: self._fused(label, blend, [each.get(label) for each in said])
            for label, blend in self._labels.items()
        }

    def _fused(self, label: str, blend: Blend, members: Sequence[np.ndarray | None]) -> np.ndarray:
        fuse = fusion.stars if self._kinds[label] == RATING else fusion.probability
        return fuse(blend, members)

    def _scores(self, place: int, queries: Mapping[str, np.ndarray]) -> np.ndarray:
        started = time.perf_counter()
        scores = self._predictors[place].score_block(queries)
        with self._lock:
            self.seconds[place] += time.perf_counter() - started
        return self._scale(scores)
