"""Factorization machine: a linear model of all inputs and of every two of them, for ranking only.

Rendle, "Factorization Machines", ICDM 2010, equation 1: w_0 + sum_a w_a + sum_{a<b} <v_a, v_b>,
the pairs by lemma 3.1: half of (sum_a v_a)^2 - sum_a v_a^2, summed over the coordinates.

The sharing block reads the sum of a user's vectors, the sum of an item's, their product, which is
all pairs across, [K] of all other pairs, and the linear part. Where heads are linear
(`hidden_layers: []`) they begin as the equation, their biases being w_0; with hidden layers this is
near to He and Chua, "Neural Factorization Machines", SIGIR 2017.

Differs from the paper: an input of several values (genres, a history) is one field, their mean or
scaled sum, whose values do not pair with each other; the tasks share vectors, and each head learns
how much every coordinate counts, where the paper has ones.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from multitask_recommender import shares
from multitask_recommender.batches import NO_SEED, STEP_SEED
from multitask_recommender.interactions import Interactions
from multitask_recommender.layers import draws
from multitask_recommender.layers.heads import PairShape
from multitask_recommender.layers.representation import Representation
from multitask_recommender.models._base import Features
from multitask_recommender.models._ranking_only import RankingOnlyModel
from multitask_recommender.models.settings.fm import Settings


class Model(RankingOnlyModel):
    def __init__(self, settings: Settings, train: Interactions, **shared: Any) -> None:
        # The last coordinate of a field's vector is its linear weight, so that both are one row.
        size = settings.embedding_dimension
        stddev = np.append(np.full(size, settings.initial_stddev), 0.0).astype(np.float32)
        super().__init__(settings, train, size + 1, stddev, **shared)
        self._decay = np.append(np.full(size, settings.l2), settings.linear_l2)
        self.build_sharing()

    @property
    def pair_shape(self) -> PairShape:
        size = self._settings.embedding_dimension
        return PairShape(vectors=size, fields=size + 1)

    def encode(
        self, features: Features, candidate_ids: tf.Tensor, training: bool
    ) -> Representation:
        fields = self.fields(features, candidate_ids, training)
        users, items = _Sums.of(fields.users), _Sums.of(fields.items)
        rows = users.take(fields.user_rows), items.take(fields.item_rows)
        pairs, linear = rows[0].pairs + rows[1].pairs, rows[0].linear + rows[1].linear
        if fields.context:
            context = _Sums.of(fields.context)
            pairs += context.pairs + context.vectors * (rows[0].vectors + rows[1].vectors)
            linear += context.linear
        dropout = self._settings.dropout if training else 0.0
        keys = tf.random.experimental.stateless_split(
            tf.random.experimental.stateless_fold_in(features.get(STEP_SEED, NO_SEED), 2), 2
        )
        seeds = [draws.seed_of(keys[place], shares.rows(features)) for place in range(2)]
        if dropout:
            pairs = draws.dropout(pairs, dropout, seeds[0])
        return Representation(
            queries=None,
            candidates=None,
            query_rows=fields.user_rows,
            candidate_rows=fields.item_rows,
            ranking_queries=users.vectors,
            ranking_candidates=items.vectors,
            product_dropout=(dropout, seeds[1]) if dropout else None,
            fields=(pairs, linear),
            shared=fields.all,
            along_candidates=tuple(fields.items),
            penalty=self._penalty(features) if training else 0.0,
        )

    def _penalty(self, features: Features) -> tf.Tensor | float:
        """l2 for vectors and linear_l2 for weights: the squares of what their roots scale."""
        if not self._decay.any():
            return 0.0
        return self.penalty(features, tf.constant(np.diag(np.sqrt(self._decay)), tf.float32))


@dataclasses.dataclass(frozen=True)
class _Sums:
    """Of some fields of a pair: their vectors, their products two by two, their linear weights."""

    vectors: tf.Tensor  # [n, K]
    pairs: tf.Tensor  # [n, K]
    linear: tf.Tensor  # [n, 1]

    @classmethod
    def of(cls, fields: Sequence[tf.Tensor]) -> "_Sums":
        """fields [n, K + 1]."""
        total = tf.add_n(fields)
        vectors = total[:, :-1]
        squares = tf.add_n([tf.square(field[:, :-1]) for field in fields])
        return cls(vectors, (tf.square(vectors) - squares) / 2, total[:, -1:])

    def take(self, rows: tf.Tensor) -> "_Sums":
        return _Sums(*(tf.gather(part, rows) for part in (self.vectors, self.pairs, self.linear)))
