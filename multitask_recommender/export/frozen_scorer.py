"""A frozen model as evaluation sees one: every item scored, without an index."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from multitask_recommender.export.cascade import Parts
from multitask_recommender.export.known import KnownTables
from multitask_recommender.export.query import FeatureReader, Query, Reader
from multitask_recommender.export.raw_ids import RawIds
from multitask_recommender.export.reference import Arrays
from multitask_recommender.schema import HISTORY, ITEM_ID, USER_ID


class FrozenScorer:
    """Queries in dense ids, of users and of the histories that are told of them (reference.py).

    Args:
      parts: of an export, of which no index is read.
      vectors: of its items, [I, D]; None for a model that only ranks.
      users, items: the raw ids of all of them.
    """

    def __init__(
        self, parts: Parts, vectors: np.ndarray | None, users: RawIds, items: RawIds
    ) -> None:
        self._model, self.items = parts.model, vectors
        self._popularity = parts.known.popularity[: parts.model.facts.num_items]
        self._users, self._raw_items = users, items
        readers = {key: FeatureReader(each, key) for key, each in parts.user_features.items()}
        self._context = list(parts.context)
        self._missing = {
            key: _missing(each.words is not None, each.has_several)
            for key, each in parts.user_features.items()
        }
        known = KnownTables(parts.known)
        self._read = Reader(parts.model, parts.users, parts.items, [*readers.values()], known)

    def embed(self, users: np.ndarray) -> np.ndarray:
        """Retrieval vectors [Q, D] of users [Q]."""
        return self._model.embed_queries(self._query({USER_ID: users}).features).numpy()

    def score_block(self, queries: Mapping[str, np.ndarray]) -> np.ndarray:
        """Scores [Q, I] of all items; of strangers, their popularity."""
        query = self._query(queries)
        scores = self._model.embed_queries(query.features).numpy() @ self.items.T
        scores[~query.is_told.numpy()] = self._popularity
        return scores

    def rank(self, queries: Mapping[str, np.ndarray]) -> Arrays:
        """{label: probabilities or stars [B]} of pairs of user and item."""
        if not self._model.facts.labels:
            return {}
        context = {name: tf.constant(queries[name]) for name in self._context}
        ids = tf.constant(queries[ITEM_ID], tf.int32)[:, None]
        found = self._model.predictions(self._query(queries).pairs(ids, context))
        return {label: each.numpy()[: len(ids)] for label, each in found.items()}

    def _query(self, queries: Mapping[str, np.ndarray]) -> Query:
        users = queries[USER_ID]
        history = queries.get(HISTORY, np.zeros((len(users), 1), np.int32))
        told = {key: tf.repeat(each, len(users), axis=0) for key, each in self._missing.items()}
        return self._read(
            {
                "user_id": tf.constant(self._users.raw(users)),
                "history": tf.constant(self._raw_items.raw(history)),
                "history_length": tf.fill([len(users)], -1),
                **told,
            }
        )


def _missing(has_words: bool, has_several: bool) -> tf.Tensor:
    """One row of an input that tells nothing."""
    if not has_words:
        return tf.constant([np.nan], tf.float32)
    return tf.constant([[""]] if has_several else [""])
