"""A request as the model reads it: who asks, what is told of them, and what is known."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from multitask_recommender.export.checks import check_ids, check_lengths
from multitask_recommender.export.frozen import Frozen
from multitask_recommender.export.known import KnownTables
from multitask_recommender.export.rows import latest, side_by_side
from multitask_recommender.export.vocabulary import Vocabulary
from multitask_recommender.models._base import Features
from multitask_recommender.models._queries import tells_of_users
from multitask_recommender.schema import (
    HISTORY,
    HISTORY_LENGTH,
    HISTORY_ROW,
    ITEM_ID,
    PAD,
    TOLD_FEATURE,
    TOLD_HISTORY,
    USER_ID,
)

# Rows that are predicted at a time are a multiple of this, so that what a row comes to does not
# depend on its place: processors compute the last few of a number of rows by other instructions,
# which may round a sigmoid the other way.
ALIGNED = 64
# What an answer comes from, as `source` says it.
USER, OF_HISTORY, FEATURES, POPULARITY = "user", "history", "features", "popularity"


@dataclasses.dataclass(frozen=True)
class Query:
    """Of B requests."""

    users: tf.Tensor  # dense ids [B]
    told: tf.Tensor  # dense ids of the history that a request tells, [B, M], 0 for none
    features: Features  # as `embed_queries` reads them
    is_told: tf.Tensor  # bool [B]: whether there is more to say than what is popular
    source: tf.Tensor  # str [B]

    def pairs(self, items: tf.Tensor, context: Mapping[str, tf.Tensor]) -> Features:
        """What `predictions` reads of each request with each of its items [B, N], B * N rows and
        so many more that they are a multiple of ALIGNED.

        context: features of the events, a line for each request.
        """
        rows = tf.repeat(tf.range(tf.size(self.users)), tf.shape(items)[1])
        more = [[0, -tf.size(rows) % ALIGNED]]
        rows, items = tf.pad(rows, more), tf.pad(tf.reshape(items, [-1]), more)
        features = {USER_ID: tf.gather(self.users, rows), ITEM_ID: items}
        features |= {name: tf.gather(values, rows) for name, values in context.items()}
        told = {name: self.features[name] for name in self.features if tells_of_users(name)}
        if told:
            features |= told | {HISTORY_ROW: rows}
        if HISTORY in told:
            lengths = tf.math.count_nonzero(told[HISTORY] != PAD, axis=1, dtype=tf.int32)
            features[HISTORY_LENGTH] = tf.gather(lengths, rows)
        return features


@dataclasses.dataclass(frozen=True)
class FeatureInput:
    """A feature as a request gives it: words, or a number where there are none.

    codes: of each word, [V + 1], the first of what is none of them.
    """

    name: str  # of the feature
    words: Vocabulary | None
    codes: np.ndarray | None
    has_several: bool  # values of a row


class FeatureReader(tf.Module):
    """Inputs of a signature -> the values of a feature, as the model reads them."""

    def __init__(self, feature: FeatureInput, key: str) -> None:
        super().__init__()
        self.feature, self._key, self._words = feature.name, key, feature.words
        self.codes = None
        if feature.codes is not None:
            codes = feature.codes.astype(np.int32)
            self.codes = tf.Variable(codes, trainable=False, name="codes")

    def __call__(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """The input of its key: codes, 0 for a word that nobody has learnt; numbers as they are."""
        if self._words is None:
            return inputs[self._key]
        return tf.gather(self.codes, self._words.ids(inputs[self._key]))


class Reader(tf.Module):
    """Inputs of a signature -> Query."""

    def __init__(
        self,
        model: Frozen,
        users: Vocabulary,
        items: Vocabulary,
        features: Sequence[FeatureReader],
        known: KnownTables,
    ) -> None:
        """features: of users."""
        super().__init__()
        self._features = list(features)
        self._model, self._known = model, known
        self._users, self._items = users, items

    def __call__(self, inputs: Mapping[str, tf.Tensor]) -> Query:
        facts = self._model.facts
        for name in ("user_id", "history"):
            check_ids(name, inputs[name])
        users, told = self._users.ids(inputs["user_id"]), self._told(inputs)
        features = {USER_ID: users}
        if facts.recent_length is not None:
            given, known = side_by_side(
                latest(told, facts.recent_length), self._known.recent.of(users)
            )
            is_given = tf.reduce_any(given != PAD, axis=1, keepdims=True)
            features[HISTORY] = tf.where(is_given, given, known)
        if facts.reads_told_history:
            features[TOLD_HISTORY] = told
        for reader in self._features:
            features[f"{TOLD_FEATURE}{reader.feature}"] = reader(inputs)
        is_told = self._model.is_told_of(features)
        return Query(users, told, features, is_told, self._source(users, told, is_told))

    def _told(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        width, lengths = tf.shape(inputs["history"])[1], inputs["history_length"]
        check_lengths(lengths, width)
        counts = tf.range(width) < tf.where(lengths < 0, width, lengths)[:, None]
        return tf.where(counts, self._items.ids(inputs["history"]), PAD)

    def _source(self, users: tf.Tensor, told: tf.Tensor, is_told: tf.Tensor) -> tf.Tensor:
        is_met = tf.gather(self._known.met_users, users)
        source = tf.where(is_told, tf.where(is_met, USER, FEATURES), POPULARITY)
        if not self._model.facts.orders_by_history:
            return source
        return tf.where(tf.reduce_any(told != PAD, axis=1), OF_HISTORY, source)
