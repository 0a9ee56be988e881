"""MultiTaskNet: matrix factorisation ranks items, a network on the same vectors predicts scores.

A hybrid of matrix factorisation (Koren et al., "Matrix Factorization Techniques for Recommender
Systems", IEEE Computer 42(8), 2009) and neural collaborative filtering (He et al., "Neural
Collaborative Filtering", WWW 2017), trained as multi-task learning (Caruana, Machine Learning 28,
1997). With vectors u of users and q of items:

    likelihood of interaction = u . q + b     b: the item's bias, which begins at 0
    score = MLP([u, q, u * q])                of the same vectors, or of separate ones

Vectors begin normal with standard deviation 1 / d. The MLP is the sharing block: that of the
original is `sharing: {name: shared_bottom, hidden_layers: [96, 64], linear: false}`, and its bias
begins at the mean rating. The recipes are experiments/mf_ncf_*.yaml.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from multitask_recommender.batches import NO_SEED
from multitask_recommender.interactions import Interactions
from multitask_recommender.layers.heads import PairShape
from multitask_recommender.layers.representation import Representation
from multitask_recommender.layers.retrieval_space import RetrievalSpace
from multitask_recommender.layers.tower import ID, Tower, View, sides
from multitask_recommender.models._base import Features, MultiTaskModel
from multitask_recommender.models._queries import distinct_queries, lines_of
from multitask_recommender.models.settings.mf_ncf import Settings
from multitask_recommender.schema import ITEM_ID, USER_ID

_VIEW = View((ID,))


class Model(MultiTaskModel):
    def __init__(self, settings: Settings, train: Interactions, **shared: Any) -> None:
        super().__init__(settings, train, **shared)
        self._settings = settings
        self._tables = self._build_tables(train)
        self._ranking_tables = None  # those of all tasks
        if self.retrieval is not None and self.ranking and settings.ranks_apart:
            self._ranking_tables = self._build_tables(train)
        biases = np.zeros(train.num_items + 1, np.float32)
        self._space = RetrievalSpace(biases, False, self.retrieval, train.items.vocabulary)
        self.build_sharing()

    @property
    def pair_shape(self) -> PairShape:
        return PairShape(vectors=self._settings.embedding_dimension, fields=0)

    def encode(
        self, features: Features, candidate_ids: tf.Tensor, training: bool
    ) -> Representation:
        user_ids, query_rows = distinct_queries(features)
        ids = user_ids, candidate_ids
        users, items = cut = ranking = _vectors(self._tables, ids)
        if self._ranking_tables is not None:
            ranking = _vectors(self._ranking_tables, ids)
            cut += ranking
        retrieves = self.retrieval is not None
        return Representation(
            queries=self._space.queries(users) if retrieves else None,
            candidates=self._space.items(items, candidate_ids) if retrieves else None,
            query_rows=query_rows,
            query_lines=lines_of(features),
            candidate_rows=tf.searchsorted(candidate_ids, features[ITEM_ID]),
            ranking_queries=ranking[0],
            ranking_candidates=ranking[1],
            shared=cut,
            along_candidates=cut[1::2],
            penalty=self._penalty(features) if training else 0.0,
        )

    def embed_queries(self, features: Features) -> tf.Tensor:
        return self._space.queries(self._tables[0](features[USER_ID], _VIEW, NO_SEED))

    def embed_items(self, ids: tf.Tensor) -> tf.Tensor:
        return self._space.items(self._tables[1](ids, _VIEW, NO_SEED), ids)

    def _build_tables(self, train: Interactions) -> tuple[Tower, Tower]:
        """The vectors of users and of items (ScaledEmbedding)."""
        size, power = self._settings.embedding_dimension, self._settings.l2_power
        return tuple(
            Tower(side, [ID], size, l2_power=power, stddev=1.0 / size) for side in sides(train)
        )

    def _penalty(self, features: Features) -> tf.Tensor | float:
        """Weight decay of the rows that the batch's events [B] touch."""
        if not self._settings.l2:
            return 0.0
        ids = features[USER_ID], features[ITEM_ID]
        return self._settings.l2 * tf.add_n(
            [
                table.penalty(_VIEW, own, other)
                for tables in (self._tables, self._ranking_tables or ())
                for table, own, other in zip(tables, ids, ids[::-1], strict=False)
            ]
        )


def _vectors(
    tables: tuple[Tower, Tower], ids: tuple[tf.Tensor, tf.Tensor]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Of users [Q, D] and of items [C, D]."""
    return tuple(table(each, _VIEW, NO_SEED) for table, each in zip(tables, ids, strict=True))
