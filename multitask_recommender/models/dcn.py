"""Deep and cross network, version 2: explicit crosses of the inputs' coordinates; ranking only.

Wang et al., "DCN V2: Improved Deep & Cross Network and Practical Lessons for Web-scale Learning to
Rank Systems", WWW 2021, section 3: x_{l+1} = x_0 * (W_l x_l + b_l) + x_l over the concatenation x_0
of the fields' vectors, W_l full or of low rank, with deep layers beside (parallel) or after them
(stacked).

Differs from the paper: the output layer is the sharing block, so that several tasks may read the
crosses, through hidden layers if it has any; an input of several values is the mean of their
vectors; every table has the same dimension.
"""

from typing import Any

import tensorflow as tf

from multitask_recommender import shares
from multitask_recommender.batches import NO_SEED, STEP_SEED
from multitask_recommender.interactions import Interactions
from multitask_recommender.layers.draws import AnySeed, seed_of
from multitask_recommender.layers.heads import HiddenLayers, PairShape
from multitask_recommender.layers.precision import Dense
from multitask_recommender.layers.representation import Representation
from multitask_recommender.models._base import Features
from multitask_recommender.models._ranking_only import FieldVectors, RankingOnlyModel
from multitask_recommender.models.settings.dcn import Settings


class Cross(tf.keras.layers.Layer):
    """x_0, x_l [B, N] -> x_{l+1} [B, N]: as `tfrs.layers.dcn.Cross`, in the precision of the step.

    rank: of W_l; None where it is full.
    """

    def __init__(self, rank: int | None, name: str) -> None:
        super().__init__(name=name)
        self._rank = rank

    def build(self, input_shape: tf.TensorShape) -> None:
        widths = [] if self._rank is None else [self._rank]
        self._factors = [
            Dense(width, use_bias=False, kernel_initializer="truncated_normal") for width in widths
        ]
        self._last = Dense(int(input_shape[-1]), kernel_initializer="truncated_normal")
        super().build(input_shape)

    def call(self, first: tf.Tensor, crossed: tf.Tensor) -> tf.Tensor:
        weighed = crossed
        for factor in self._factors:
            weighed = factor(weighed)
        return first * self._last(weighed) + crossed


class Model(RankingOnlyModel):
    def __init__(self, settings: Settings, train: Interactions, **shared: Any) -> None:
        size, stddev = settings.embedding_dimension, settings.initial_stddev
        super().__init__(settings, train, size, stddev, **shared)
        self._crosses = [
            Cross(settings.projection_dim, name=f"cross_{n}") for n in range(settings.cross_layers)
        ]
        self._deep = HiddenLayers(settings.deep_layers, settings.dropout, "deep")
        self.build_sharing()

    @property
    def pair_shape(self) -> PairShape:
        settings = self._settings
        crossed = settings.embedding_dimension * sum(map(len, settings.named_inputs.values()))
        deep = settings.deep_layers[-1] if settings.deep_layers else 0
        keeps_crosses = settings.cross_layers and settings.structure == "parallel"
        width = deep + crossed if keeps_crosses else deep or crossed
        return PairShape(vectors=0, fields=width, unread=width)

    def encode(
        self, features: Features, candidate_ids: tf.Tensor, training: bool
    ) -> Representation:
        fields = self.fields(features, candidate_ids, training)
        key = tf.random.experimental.stateless_fold_in(features.get(STEP_SEED, NO_SEED), 2)
        seed = seed_of(key, shares.rows(features))
        penalty = 0.0
        if training and self._settings.l2:
            penalty = self._settings.l2 * self.penalty(features)
        return Representation(
            queries=None,
            candidates=None,
            query_rows=fields.user_rows,
            candidate_rows=fields.item_rows,
            # Nothing but the fields, in which users and items have been crossed already.
            ranking_queries=tf.zeros([tf.shape(fields.users[0])[0], 0]),
            ranking_candidates=tf.zeros([tf.shape(candidate_ids)[0], 0]),
            fields=self._interact(_concatenated(fields), seed, training),
            shared=fields.all,
            along_candidates=tuple(fields.items),
            penalty=penalty,
        )

    def _interact(self, inputs: tf.Tensor, seed: AnySeed, training: bool) -> tuple[tf.Tensor, ...]:
        """x_0 [B, F * D] -> what the sharing block reads, [B, *] each."""
        crossed = inputs
        for layer in self._crosses:
            crossed = layer(inputs, crossed)
        if not self._settings.deep_layers:
            return (crossed,)
        if self._settings.structure == "stacked":
            return (self._deep(crossed, seed, training=training),)
        deep = self._deep(inputs, seed, training=training)
        return (crossed, deep) if self._crosses else (deep,)


def _concatenated(fields: FieldVectors) -> tf.Tensor:
    """The vectors of each row's fields side by side, [B, F * D]."""
    users = tf.gather(tf.concat(fields.users, axis=1), fields.user_rows)
    items = tf.gather(tf.concat(fields.items, axis=1), fields.item_rows)
    return tf.concat([users, items, *fields.context], axis=1)
