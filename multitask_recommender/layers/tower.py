"""A tower: users or items as vectors, the sum of an id embedding, a history and features."""

import dataclasses

import numpy as np
import tensorflow as tf

from multitask_recommender import histories
from multitask_recommender.interactions import Entities, Feature, Interactions
from multitask_recommender.layers.history import History
from multitask_recommender.layers.weight_decay import WeightDecay

ID, HISTORY = "id", "history"  # inputs of a tower beside the names of features


@dataclasses.dataclass(frozen=True)
class Side:
    """The users or the items of the training data, as a tower sees them."""

    entities: Entities
    counts: np.ndarray  # training events of each id, [R + 1]
    other_counts: np.ndarray  # of the other side's ids
    histories: tuple[np.ndarray, np.ndarray]  # splits, members: who was met

    @property
    def num_rows(self) -> int:
        return self.entities.num_known + 1


def sides(train: Interactions) -> tuple[Side, Side]:
    """The users and the items."""
    user_counts = histories.counts(train.user_ids, train.num_users)
    item_counts = histories.counts(train.item_ids, train.num_items)
    users = Side(train.users, user_counts, item_counts, histories.items_of_users(train))
    items = Side(train.items, item_counts, user_counts, histories.users_of_items(train))
    return users, items


class FeatureEmbedding(tf.keras.layers.Layer):
    """A feature's vector for ids [n]: of its code, the mean of its codes, or a scaled number."""

    def __init__(self, name: str, feature: Feature, dimension: int, stddev: float) -> None:
        super().__init__(name=f"feature_{name}")
        self._is_categorical = feature.is_categorical
        initializer = tf.keras.initializers.RandomNormal(stddev=stddev)
        if feature.is_categorical:
            self._values = tf.constant(feature.values, tf.int32)
            rows = len(feature.vocabulary) + 1
        else:
            centred = feature.values - feature.values[1:].mean()
            self._values = tf.constant(centred / (feature.values[1:].std() + 1e-6), tf.float32)
            rows = 1
        self.table = self.add_weight(name="table", shape=[rows, dimension], initializer=initializer)

    def call(self, ids: tf.Tensor) -> tf.Tensor:
        values = tf.gather(self._values, ids)  # [n] or [n, M]
        if not self._is_categorical:
            return values[:, None] * self.table
        vectors = tf.gather(self.table, values)
        known = tf.cast(values > 0, tf.float32)[..., None]
        if values.shape.rank == 1:
            return vectors * known
        total = tf.reduce_sum(vectors * known, axis=1)
        return tf.math.divide_no_nan(total, tf.reduce_sum(known, axis=1))


class Tower(tf.keras.layers.Layer):
    """ids [n] -> vectors [n, D]: the sum of the chosen inputs, through hidden layers if any.

    Args:
      side: the users or the items.
      inputs: `id`, `history` (the other side's ids met in training), or names of features.
      dimension: D.
      hidden_layers: units of ReLU layers after the sum; a linear layer brings them back to D.
      history_dropout: see History.
      l2_power: see WeightDecay.
    """

    def __init__(
        self,
        side: Side,
        inputs: list[str],
        dimension: int,
        hidden_layers: tuple[int, ...] = (),
        history_dropout: float = 0.0,
        l2_power: float = 0.5,
        stddev: float = 0.05,
        name: str = "tower",
    ) -> None:
        super().__init__(name=name)
        self._side = side
        self._ids = self._history = None
        if ID in inputs:
            self._ids = self.add_weight(
                name="ids",
                shape=[side.num_rows, dimension],
                initializer=tf.keras.initializers.RandomNormal(stddev=stddev),
            )
        if HISTORY in inputs:
            self._history = History(
                side.histories, len(side.other_counts) - 1, dimension, stddev, history_dropout
            )
        self._features = [
            FeatureEmbedding(name, side.entities.features[name], dimension, stddev)
            for name in inputs
            if name not in (ID, HISTORY)
        ]
        self._hidden = [tf.keras.layers.Dense(units, "relu") for units in hidden_layers]
        if hidden_layers:
            self._hidden.append(tf.keras.layers.Dense(dimension))
        self._id_decay = WeightDecay(side.counts, l2_power)
        self._history_decay = WeightDecay(side.other_counts, l2_power)

    def call(self, ids: tf.Tensor, seed: tf.Tensor, training: bool = False) -> tf.Tensor:
        parts = [feature(ids) for feature in self._features]
        if self._ids is not None:
            # The unknown has no vector of its own: what features say of it, or nothing.
            known = tf.cast(ids > 0, tf.float32)[:, None]
            parts.append(tf.gather(self._ids, ids) * known)
        if self._history is not None:
            parts.append(self._history(ids, seed, training=training))
        vectors = tf.add_n(parts)
        for layer in self._hidden:
            vectors = layer(vectors)
        return vectors

    def penalty(self, ids: tf.Tensor, other_ids: tf.Tensor, width: int | None = None) -> tf.Tensor:
        """Weight decay of the id and history rows of a batch's events [B], see WeightDecay.

        `width` restricts it to the first coordinates of the rows.
        """
        total = tf.zeros([])
        if self._ids is not None:
            total += self._id_decay(self._ids, ids, width)
        if self._history is not None:
            total += self._history_decay(self._history.table, other_ids, width)
        return total
