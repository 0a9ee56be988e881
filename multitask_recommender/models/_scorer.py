"""How evaluation sees a model: scores of all items for a query, predictions for a pair."""

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from multitask_recommender import columns
from multitask_recommender.schema import HISTORY, USER_ID

if TYPE_CHECKING:
    from multitask_recommender.models._base import MultiTaskModel

_ITEMS = 1 << 16  # embedded, or multiplied, at a time
_FEW = 24  # queries
_OF_QUERIES = {USER_ID, HISTORY}  # what items are scored for


class Scorer:
    """A snapshot of a model, which embeds every item once.

    vectors: as what item vectors are kept; scores are float32 all the same.
    """

    def __init__(self, model: "MultiTaskModel", vectors: str = "float32") -> None:
        self._model = model
        # Retrieval vectors [I, D]; None for a model that only ranks.
        self.items = None if model.retrieval is None else _embedded(model, vectors)

    def score_block(self, queries: dict[str, np.ndarray]) -> np.ndarray:
        """Scores [Q, I] of all items; column c is item c + 1."""
        if self.items is None:
            raise ValueError("The model has no retrieval task, so it does not score items.")
        read = {name: np.asarray(queries[name], np.int32) for name in _OF_QUERIES & queries.keys()}
        features = self._model.features_of(read)
        scores = self._products(self.embed(features))
        # Whoever nothing is known of is given what is popular.
        is_told = self._model.traced_told(features).numpy()
        if not is_told.all():
            scores[~is_told] = self._model.popularity
        return scores

    def _products(self, queries: np.ndarray) -> np.ndarray:
        """Of queries [Q, D] and all items, float32 [Q, I]."""
        are_few = len(queries) < _FEW and len(self.items) >= _ITEMS
        if not are_few and self.items.dtype == queries.dtype:
            return queries @ self.items.T
        turned = np.ascontiguousarray(queries.T)
        scores = np.empty((len(queries), len(self.items)), np.float32)
        for block in _even_blocks(len(self.items)):
            items = self.items[block].astype(np.float32, copy=False)
            if are_few:
                # The other way round, BLAS copies all items into an order of its own first, which
                # takes longer than so few products. They are the same to the last bit.
                scores[:, block] = (items @ turned).T
            else:
                np.matmul(queries, items.T, out=scores[:, block])
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


def _embedded(model: "MultiTaskModel", kind: str) -> np.ndarray:
    """All items, some at a time: what a model makes of them on its way takes memory as well."""
    vectors = None
    for start in range(0, model.num_items, _ITEMS):
        ids = tf.range(start + 1, min(start + _ITEMS, model.num_items) + 1)
        part = model.traced_items(ids).numpy()
        if vectors is None:
            vectors = columns.empty((model.num_items, part.shape[1]), kind)
        vectors[start : start + len(part)] = part
    return vectors


def _even_blocks(number: int) -> Iterator[slice]:
    """Of items: BLAS adds small products up in another order, and so equal items of a short last
    block would not be tied with those before it.
    """
    bounds = np.linspace(0, number, -(-number // _ITEMS) + 1).astype(int)
    return (slice(*each) for each in itertools.pairwise(bounds))
