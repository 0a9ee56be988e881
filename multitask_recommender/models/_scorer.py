"""How evaluation sees a model: scores of all items for a query, predictions for a pair."""

from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from multitask_recommender.schema import HISTORY, USER_ID

if TYPE_CHECKING:
    from multitask_recommender.models._base import MultiTaskModel

_OF_QUERIES = {USER_ID, HISTORY}  # what items are scored for


class Scorer:
    """A snapshot of a model, which embeds every item once."""

    def __init__(self, model: "MultiTaskModel") -> None:
        self._model = model
        self.items: np.ndarray | None = None  # retrieval vectors [I, D]
        if model.retrieval is not None:
            self.items = model.traced_items(tf.range(1, model.num_items + 1)).numpy()

    def score_block(self, queries: dict[str, np.ndarray]) -> np.ndarray:
        """Scores [Q, I] of all items; column c is item c + 1."""
        if self.items is None:
            raise ValueError("The model has no retrieval task, so it does not score items.")
        read = {name: np.asarray(queries[name], np.int32) for name in _OF_QUERIES & queries.keys()}
        features = self._model.features_of(read)
        scores = self.embed(features) @ self.items.T
        # Whoever nothing is known of is given what is popular.
        is_told = self._model.traced_told(features).numpy()
        if not is_told.all():
            scores[~is_told] = self._model.popularity
        return scores

    def embed(self, features: dict[str, tf.Tensor]) -> np.ndarray:
        """Retrieval vectors of queries [Q, D]."""
        return self._model.traced_queries(features).numpy()

    def rank(self, queries: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """{label: probabilities or stars [B]} for the pairs of user and item."""
        if not self._model.ranking:
            return {}
        predictions = self._model.traced_predictions(self._model.features_of(queries))
        return {label: values.numpy() for label, values in predictions.items()}
