"""What models share that read what a user has met so far: positives in order make a state.

A query is the state before an event: after so many items of a history. Positives (clicks) advance
it, and every event, whatever came of it, is a row that is scored with the state before it. So rows
between two clicks share a query, and the rows of a user share a history, which is read once. Where
nothing but retrieval is learnt, what comes first in a history is no target, as in the papers.
"""

import abc
import dataclasses
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from multitask_recommender import shares
from multitask_recommender.batches import NO_SEED, STEP_SEED
from multitask_recommender.histories import Recent
from multitask_recommender.interactions import Interactions
from multitask_recommender.layers.context import Context
from multitask_recommender.layers.draws import AnySeed, dropout, seed_of
from multitask_recommender.layers.heads import PairShape
from multitask_recommender.layers.item_table import MEAN, ItemTable
from multitask_recommender.layers.representation import Representation
from multitask_recommender.layers.retrieval_space import RetrievalSpace, log_popularity
from multitask_recommender.layers.rows import keyed, lookup
from multitask_recommender.layers.tower import Told, Tower, View, sides
from multitask_recommender.models._base import Features, MultiTaskModel
from multitask_recommender.models.settings._session import SessionSettings
from multitask_recommender.schema import (
    HISTORY,
    HISTORY_LENGTH,
    HISTORY_ROW,
    ITEM_ID,
    PAD,
    USER_ID,
)


@dataclasses.dataclass(frozen=True)
class Read:
    """What the queries of a batch have read: so many items, of one of S histories, each."""

    items: tf.Tensor  # ids [S, T], oldest first, 0-padded on the right
    rows: tf.Tensor  # int [Q], into the histories
    lengths: tf.Tensor  # int [Q], 0..T
    users: tf.Tensor  # ids [Q]
    told: Told  # what else is known of the users of the queries


class SessionModel(MultiTaskModel):
    """A query is the state that a history leads to, with what a tower makes of the user."""

    shares_histories = True

    def __init__(self, settings: SessionSettings, train: Interactions, **shared: Any) -> None:
        super().__init__(settings, train, **shared)
        self._settings = settings
        self.orders_by_history = True
        positive = settings.history_positive
        if positive is None and self.retrieval is not None:
            positive = self.retrieval.positive
        self.recent = Recent(train, settings.session_length, positive)
        users, items = sides(train)
        self._item_view, self._user_view = View(tuple(settings.item)), View(tuple(settings.user))
        self._items = self._tower(items, settings.item)
        self._inputs = self._items if settings.tied else self._tower(items, settings.item)
        self._users = self._tower(users, settings.user) if settings.user else None
        biases = log_popularity(items.counts) if settings.item_bias else None
        self._space = RetrievalSpace(
            biases, settings.normalise, self.retrieval, train.items.vocabulary
        )
        if self.ranking:
            self._label_bias = self.add_weight(
                name="label_bias", shape=[items.num_rows, 1], initializer="zeros"
            )
            keyed(self._label_bias, items.entities.vocabulary)
        self.context_names = tuple(settings.context) if self.ranking else ()
        self._context = Context(
            train.context, self.context_names, settings.embedding_dimension, settings.initial_stddev
        )

    @abc.abstractmethod
    def states(self, vectors: tf.Tensor, read: Read, users: tf.Tensor | float) -> tf.Tensor:
        """What each query has come to, [Q, D].

        vectors [S, T, D] are of the items of the histories, 0 for padding; users [Q, D] are those
        of the queries' users, 0.0 where nothing is read of users.
        """

    def freeze_own(self) -> None:
        if self.ranking:
            self._item_table = ItemTable(self._label_bias, MEAN)
            self._label_bias = self._item_table.rows

    @property
    def pair_shape(self) -> PairShape:
        dimension = self._settings.embedding_dimension
        context = len(self._settings.context) * dimension
        return PairShape(vectors=dimension, fields=1 + context, unread=context)

    def encode(
        self, features: Features, candidate_ids: tf.Tensor, training: bool
    ) -> Representation:
        read, query_rows = _read(features)
        seeds = self._seeds(features)
        states = self._queries(read, seeds, training)
        items = self._items(candidate_ids, self._item_view, seeds[0], training=training)
        retrieves = self.retrieval is not None
        fields = self._fields(features) if self.ranking else ()
        return Representation(
            queries=self._space.queries(states) if retrieves else None,
            candidates=self._space.items(items, candidate_ids) if retrieves else None,
            query_rows=query_rows,
            query_lines=shares.distinct(features, _places),
            candidate_rows=tf.searchsorted(candidate_ids, features[ITEM_ID]),
            ranking_queries=states,
            ranking_candidates=items,
            fields=fields,
            shared=(states, items, *fields),
            along_candidates=(items,),
            penalty=self._penalty(features) if training else 0.0,
        )

    def embed_queries(self, features: Features) -> tf.Tensor:
        read, rows = _read(features)
        seeds = [NO_SEED] * 4
        return tf.gather(self._space.queries(self._queries(read, seeds, training=False)), rows)

    def embed_items(self, ids: tf.Tensor) -> tf.Tensor:
        return self._space.items(self._items(ids, self._item_view, NO_SEED), ids)

    def _queries(self, read: Read, seeds: Sequence[AnySeed], training: bool) -> tf.Tensor:
        """States [Q, D]."""
        distinct, places = tf.unique(tf.reshape(read.items, [-1]))
        vectors = self._inputs(distinct, self._item_view, seeds[0], training=training)
        vectors *= tf.cast(distinct != PAD, tf.float32)[:, None]
        vectors = tf.gather(vectors, tf.reshape(places, tf.shape(read.items)))  # [S, T, D]
        settings = self._settings
        if training and settings.input_dropout:
            vectors = dropout(vectors, settings.input_dropout, seeds[1])
        users = 0.0
        if self._users is not None:
            users = self._users(read.users, self._user_view, seeds[2], read.told, training=training)
        states = self.states(vectors, read, users)
        if training and settings.dropout:
            states = dropout(states, settings.dropout, seeds[3])
        return states

    def _seeds(self, features: Features) -> list[AnySeed]:
        """For the items of histories, their dropout, users, and the dropout of states."""
        keys = tf.random.experimental.stateless_split(features.get(STEP_SEED, NO_SEED), 4)
        lines = None, shares.histories(features), None, shares.distinct(features, _places)
        return [seed_of(keys[place], each) for place, each in enumerate(lines)]

    def _fields(self, features: Features) -> tuple[tf.Tensor, ...]:
        """What labels are told beside the pair: the item's bias, and the event's context."""
        return lookup(self._label_bias, features[ITEM_ID]), *self._context(features)

    def _penalty(self, features: Features) -> tf.Tensor | float:
        """Weight decay of the rows that the batch's events [B] touch."""
        if not self._settings.l2:
            return 0.0
        ids = features[USER_ID], features[ITEM_ID]
        towers = {id(tower): tower for tower in (self._items, self._inputs)}.values()
        decay = tf.add_n([tower.penalty(self._item_view, *ids[::-1]) for tower in towers])
        if self._users is not None:
            decay += self._users.penalty(self._user_view, *ids)
        return self._settings.l2 * decay

    def _tower(self, side: Any, inputs: list[str]) -> Tower:
        settings = self._settings
        return Tower(
            side,
            inputs,
            settings.embedding_dimension,
            l2_power=settings.l2_power,
            stddev=settings.initial_stddev,
        )


def _read(features: Features) -> tuple[Read, tf.Tensor]:
    """The distinct queries of a batch, and which of them each row has, [B]."""
    items, users = features[HISTORY], features[USER_ID]
    if HISTORY_ROW not in features:  # each row has its own
        lengths = tf.math.count_nonzero(items != PAD, axis=1, dtype=tf.int32)
        rows = tf.range(tf.size(users))
        return Read(items, rows, lengths, users, Told.of(features)), rows
    width = tf.shape(items)[1] + 1
    places = features[HISTORY_ROW] * width + features[HISTORY_LENGTH]
    distinct, query_rows = tf.unique(places)
    owners = tf.math.unsorted_segment_max(users, query_rows, tf.size(distinct))
    told = Told.of(features).features
    told = Told(features={name: tf.gather(told[name], distinct // width) for name in told})
    return Read(items, distinct // width, distinct % width, owners, told), query_rows


def _places(features: Features) -> tf.Tensor:
    """Which of the distinct queries of a whole batch each row has, [B], as `_read` finds them."""
    lengths = features[HISTORY_LENGTH]
    width = tf.reduce_max(lengths) + 1
    return tf.unique(features[HISTORY_ROW] * width + lengths).idx
