"""What models share that only rank: a vector for each input of a pair, and no retrieval."""

import dataclasses
from typing import Any, NoReturn

import tensorflow as tf

from multitask_recommender.batches import NO_SEED, STEP_SEED
from multitask_recommender.histories import Recent
from multitask_recommender.interactions import Interactions
from multitask_recommender.layers.context import Context
from multitask_recommender.layers.draws import seed_of
from multitask_recommender.layers.features import Stddev
from multitask_recommender.layers.tower import HISTORY, Told, Tower, View, sides
from multitask_recommender.models._base import Features, MultiTaskModel
from multitask_recommender.models._queries import distinct_queries, lines_of
from multitask_recommender.models.settings._ranking_only import RankingOnlySettings
from multitask_recommender.schema import ITEM_ID, USER_ID


@dataclasses.dataclass(frozen=True)
class FieldVectors:
    """A vector [*, D] of each input: of the batch's distinct users and items, and of its rows."""

    users: list[tf.Tensor]  # [Q, D] each
    items: list[tf.Tensor]  # [C, D]
    context: list[tf.Tensor]  # [B, D]
    user_rows: tf.Tensor  # int [B], into users
    item_rows: tf.Tensor  # int [B], into items

    @property
    def all(self) -> tuple[tf.Tensor, ...]:
        """Where tasks meet: whatever they read of tables passes through these."""
        return (*self.users, *self.items, *self.context)


class RankingOnlyModel(MultiTaskModel):
    """Predicts labels of given pairs, from their `fields`; there are no scores of all items.

    Args:
      settings: with the inputs of both sides and of the event.
      dimension, stddev: of the fields' tables, and of their initial values.
    """

    def __init__(
        self,
        settings: RankingOnlySettings,
        train: Interactions,
        dimension: int,
        stddev: Stddev,
        **shared: Any,
    ) -> None:
        super().__init__(settings, train, **shared)
        self._settings = settings
        if settings.reads_recent:
            self.recent = Recent(train, settings.recent_length, settings.recent_positive)
        dropout = settings.history_dropout
        self._views = [View(tuple(inputs), dropout) for inputs in (settings.user, settings.item)]
        self._towers = [
            Tower(side, view.inputs, dimension, l2_power=settings.l2_power, stddev=stddev)
            for side, view in zip(sides(train), self._views, strict=True)
        ]
        self.context_names = tuple(settings.context)
        self._context = Context(train.context, self.context_names, dimension, stddev)

    @property
    def reads_told_history(self) -> bool:
        return HISTORY in self._settings.user

    def fields(self, features: Features, item_ids: tf.Tensor, training: bool) -> FieldVectors:
        """The inputs of a batch whose distinct items are `item_ids` [C], ascending."""
        user_ids, user_rows = distinct_queries(features)
        keys = tf.random.experimental.stateless_split(features.get(STEP_SEED, NO_SEED), 2)
        (user_tower, item_tower), (user_view, item_view) = self._towers, self._views
        told, user_seed = Told.of(features), seed_of(keys[0], lines_of(features))
        return FieldVectors(
            users=user_tower.parts(user_ids, user_view, user_seed, told, training=training),
            items=item_tower.parts(item_ids, item_view, keys[1], training=training),
            context=self._context(features),
            user_rows=user_rows,
            item_rows=tf.searchsorted(item_ids, features[ITEM_ID]),
        )

    def penalty(self, features: Features, projection: tf.Tensor | None = None) -> tf.Tensor:
        """Weight decay of the rows that the batch's events [B] touch, see Tower.penalty."""
        ids = features[USER_ID], features[ITEM_ID]
        return tf.add_n(
            [
                tower.penalty(view, own, other, projection)
                for tower, view, (own, other) in zip(
                    self._towers, self._views, (ids, ids[::-1]), strict=True
                )
            ]
        )

    def embed_queries(self, features: Features) -> NoReturn:
        raise NotImplementedError(f"{type(self).__module__} does not retrieve.")

    def embed_items(self, ids: tf.Tensor) -> NoReturn:
        raise NotImplementedError(f"{type(self).__module__} does not retrieve.")
