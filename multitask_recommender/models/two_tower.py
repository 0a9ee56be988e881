"""Two towers: users and items as vectors whose dot product is the retrieval score.

Covington et al., "Deep Neural Networks for YouTube Recommendations", RecSys 2016, and the
multi-task tutorial of TensorFlow Recommenders; the item bias and the histories follow Koren,
"Factorization Meets the Neighborhood", KDD 2008.

A tower sums an id embedding, a history and features (layers/tower.py). Ranking tasks read the same
vectors (`embeddings: shared`), or the first `ranking.dimension` coordinates of them, or towers of
their own (`separate`). The item bias begins at the log of popularity.
"""

import numpy as np
import tensorflow as tf

from multitask_recommender.batches import STEP_SEED
from multitask_recommender.interactions import Interactions
from multitask_recommender.layers.heads import PairShape
from multitask_recommender.layers.representation import Representation
from multitask_recommender.layers.tower import Side, Tower, sides
from multitask_recommender.layers.weight_decay import WeightDecay
from multitask_recommender.models._base import Features, MultiTaskModel
from multitask_recommender.models.settings.two_tower import Settings
from multitask_recommender.schema import ITEM_ID, USER_ID

_NO_SEED = (0, 0)  # outside training nothing is drawn


class Model(MultiTaskModel):
    def __init__(self, settings: Settings, train: Interactions, **shared) -> None:
        super().__init__(**shared)
        self.num_items = train.num_items
        self._settings = settings
        users, items = sides(train)
        self._user_tower = self._tower(users, settings.user, settings.history_dropout, "user")
        self._item_tower = self._tower(items, settings.item, 0.0, "item")
        self._item_bias = self.add_weight(
            name="item_bias",
            shape=[items.num_rows],
            initializer=tf.constant_initializer(_log_popularity(items.counts)),
            trainable=self.retrieval is not None,
        )
        if self.ranking:
            self._build_ranking(users, items)
        self.build_sharing()

    @property
    def pair_shape(self) -> PairShape:
        ranking = self._settings.ranking
        width = self._settings.embedding_dimension if ranking is None else ranking.dimension
        return PairShape(vectors=width, fields=2)

    def encode(
        self, features: Features, candidate_ids: tf.Tensor, training: bool
    ) -> Representation:
        user_ids, query_rows = tf.unique(features[USER_ID])
        seeds = tf.random.experimental.stateless_split(features.get(STEP_SEED, _NO_SEED), 6)
        users = self._user_tower(user_ids, seeds[0], training=training)
        items = self._item_tower(candidate_ids, seeds[1], training=training)
        rate = self._settings.dropout
        if training and rate:
            queries = tf.nn.experimental.stateless_dropout(users, rate, seeds[2])
        else:
            queries = users
        return Representation(
            queries=_with_one(queries),
            candidates=self._with_bias(items, candidate_ids),
            query_rows=query_rows,
            candidate_rows=tf.searchsorted(candidate_ids, features[ITEM_ID]),
            penalty=self._penalty(features) if training else 0.0,
            **self._ranking_parts(
                (users, items), (user_ids, candidate_ids), features, seeds[3:], training
            ),
        )

    def embed_queries(self, features: Features) -> tf.Tensor:
        return _with_one(self._user_tower(features[USER_ID], _NO_SEED))

    def embed_items(self, ids: tf.Tensor) -> tf.Tensor:
        return self._with_bias(self._item_tower(ids, _NO_SEED), ids)

    def _build_ranking(self, users: Side, items: Side) -> None:
        ranking = self._settings.ranking
        self._ranking_user_tower, self._ranking_item_tower = self._user_tower, self._item_tower
        if self._settings.embeddings == "separate":
            inputs = ranking.user or self._settings.user, ranking.item or self._settings.item
            width = ranking.dimension
            self._ranking_user_tower = self._tower(users, inputs[0], 0.0, "ranking_user", width)
            self._ranking_item_tower = self._tower(items, inputs[1], 0.0, "ranking_item", width)
        self._user_bias, self._ranking_item_bias = (
            self.add_weight(name=f"{name}_bias", shape=[side.num_rows, 1], initializer="zeros")
            for name, side in (("user", users), ("ranking_item", items))
        )
        self._user_decay = WeightDecay(users.counts, self._settings.l2_power)
        self._item_decay = WeightDecay(items.counts, self._settings.l2_power)

    def _ranking_parts(
        self,
        vectors: tuple[tf.Tensor, tf.Tensor],
        ids: tuple[tf.Tensor, tf.Tensor],
        features: Features,
        seeds: tf.Tensor,
        training: bool,
    ) -> dict:
        """What ranking tasks read, for distinct users and items: vectors, biases, dropout."""
        if not self.ranking:
            return {}
        users, items = vectors
        ranking = self._settings.ranking
        if self._settings.embeddings == "separate":
            users = self._ranking_user_tower(ids[0], seeds[0], training=training)
            items = self._ranking_item_tower(ids[1], seeds[1], training=training)
        parts = {
            "ranking_queries": users if ranking is None else users[:, : ranking.dimension],
            "ranking_candidates": items if ranking is None else items[:, : ranking.dimension],
            "fields": (
                tf.gather(self._user_bias, features[USER_ID]),
                tf.gather(self._ranking_item_bias, features[ITEM_ID]),
            ),
        }
        if training and ranking is not None and ranking.dropout:
            parts["product_dropout"] = (ranking.dropout, seeds[2])
        return parts

    def _penalty(self, features: Features) -> tf.Tensor:
        """Weight decay of the rows that the batch's events [B] touch."""
        ids = features[USER_ID], features[ITEM_ID]
        total = tf.zeros([])
        if self._settings.l2:
            total += self._settings.l2 * self._user_tower.penalty(*ids)
            total += self._settings.l2 * self._item_tower.penalty(*ids[::-1])
        ranking = self._settings.ranking
        if self.ranking and ranking is not None and ranking.l2:
            width = ranking.dimension
            total += ranking.l2 * self._ranking_user_tower.penalty(*ids, width)
            total += ranking.l2 * self._ranking_item_tower.penalty(*ids[::-1], width)
        if self.ranking and ranking is not None and ranking.bias_l2:
            total += ranking.bias_l2 * self._user_decay(self._user_bias, ids[0])
            total += ranking.bias_l2 * self._item_decay(self._ranking_item_bias, ids[1])
        return total

    def _tower(
        self, side: Side, inputs: list[str], dropout: float, name: str, width: int | None = None
    ) -> Tower:
        settings = self._settings
        return Tower(
            side,
            inputs,
            settings.embedding_dimension if width is None else width,
            hidden_layers=settings.hidden_layers,
            history_dropout=dropout,
            l2_power=settings.l2_power,
            stddev=settings.initial_stddev,
            name=name,
        )

    def _with_bias(self, items: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
        """Item vectors [C, D] with the item's bias as one more coordinate, [C, D + 1]."""
        return tf.concat([items, tf.gather(self._item_bias, ids)[:, None]], axis=1)


def _with_one(queries: tf.Tensor) -> tf.Tensor:
    """Queries [Q, D] with a 1 where items have their bias, [Q, D + 1]."""
    return tf.pad(queries, [[0, 0], [0, 1]], constant_values=1.0)


def _log_popularity(counts: np.ndarray) -> np.ndarray:
    """log(count + 1) of each item, centred, [I + 1]."""
    logs = np.log(counts + 1.0)
    return logs - logs[1:].mean()
