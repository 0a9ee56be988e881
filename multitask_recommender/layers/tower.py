"""A tower: users or items as vectors, the sum of an id embedding, a history and features."""

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
import tensorflow as tf

from multitask_recommender import histories, schema
from multitask_recommender.histories import Rows
from multitask_recommender.interactions import Entities, Feature, Interactions
from multitask_recommender.layers.draws import AnySeed
from multitask_recommender.layers.features import FeatureEmbedding, Stddev
from multitask_recommender.layers.history import History
from multitask_recommender.layers.initial import Normal
from multitask_recommender.layers.item_table import MEAN, ItemTable
from multitask_recommender.layers.precision import Dense
from multitask_recommender.layers.recent_items import RecentItems
from multitask_recommender.layers.rows import keyed, take_rows
from multitask_recommender.layers.sums import in_order
from multitask_recommender.layers.weight_decay import WeightDecay

ID, HISTORY, RECENT = "id", "history", "recent"  # inputs beside the names of features


@dataclasses.dataclass(frozen=True)
class Side:
    """The users or the items of the training data, as a tower sees them."""

    entities: Entities
    others: Entities  # of the other side
    counts: np.ndarray  # training events of each id, [R + 1]
    other_counts: np.ndarray  # of the other side's ids
    are_items: bool
    meet: Callable[[np.ndarray | None], Rows]  # the other side's ids, of each id, of some events
    chosen: np.ndarray | None = None  # a mask of the positives among events; None where all are

    @property
    def num_rows(self) -> int:
        return self.entities.num_known + 1

    @property
    def met(self) -> Rows:
        """The other side's ids, of each id: made for who reads them, being as large as the data."""
        return self.meet(None)

    @property
    def positives(self) -> Rows | None:
        """Those of them that were positives; None where all are."""
        return None if self.chosen is None else self.meet(self.chosen)

    def feature(self, name: str) -> Feature:
        """Of the unknown and of the vocabulary, [R + 1]."""
        return self.entities.features[name].take(slice(0, self.num_rows))


def sides(train: Interactions, positive: str | None = None) -> tuple[Side, Side]:
    """The users and the items; `positive` is the label whose 1 makes an event a positive."""
    chosen = train.positives(positive)
    user_counts = histories.counts(train.user_ids, train.num_users)
    item_counts = histories.counts(train.item_ids, train.num_items)
    met_by_users = functools.partial(histories.items_of_users, train)
    met_by_items = functools.partial(histories.users_of_items, train)
    return (
        Side(train.users, train.items, user_counts, item_counts, False, met_by_users, chosen),
        Side(train.items, train.users, item_counts, user_counts, True, met_by_items, chosen),
    )


@dataclasses.dataclass(frozen=True)
class View:
    """How tasks read a tower: which of its inputs they sum, and what they drop in training.

    of_positives: whether a history is of positives alone. Not for tasks that predict a label: in
    training, a row's own item would be in it just where the label is 1.
    """

    inputs: tuple[str, ...]
    history_dropout: float = 0.0
    of_positives: bool = False


@dataclasses.dataclass(frozen=True)
class Told:
    """What is known of users [n] beside what a tower has learnt of them.

    recent: item ids [n, T] as schema.HISTORY, for views that read `recent`.
    history: item ids [n, M] as schema.TOLD_HISTORY, for views that read `history`.
    features: by name, values [n] or [n, M] as schema.TOLD_FEATURE.
    """

    recent: tf.Tensor | None = None
    history: tf.Tensor | None = None
    features: Mapping[str, tf.Tensor] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, features: Mapping[str, tf.Tensor]) -> "Told":
        told = {
            name.removeprefix(schema.TOLD_FEATURE): values
            for name, values in features.items()
            if name.startswith(schema.TOLD_FEATURE)
        }
        return cls(features.get(schema.HISTORY), features.get(schema.TOLD_HISTORY), told)


NOTHING_TOLD = Told()


class Tower(tf.keras.layers.Layer):
    """ids [n] -> vectors [n, D]: the sum of a view's inputs, through hidden layers if any.

    Args:
      side: the users or the items.
      inputs: `id`, `history` (the other side's ids met in training), `recent` (of users: the items
        of their latest positives before the event), or names of features; each has one table,
        whatever the views that read it.
      dimension: D.
      hidden_layers: units of ReLU layers after the sum; a linear layer brings them back to D.
      l2_power: see WeightDecay.
      stddev: of the initial tables, for all coordinates or for each.
    """

    def __init__(
        self,
        side: Side,
        inputs: Collection[str],
        dimension: int,
        hidden_layers: Sequence[int] = (),
        l2_power: float = 0.5,
        stddev: Stddev = 0.05,
        name: str = "tower",
    ) -> None:
        super().__init__(name=name)
        self.dimension = dimension
        self._entities = side.entities
        self._are_items, self._is_frozen = side.are_items, False
        self._ids = self._history = self._recent = None
        if ID in inputs:
            self._ids = self.add_weight(
                name="ids",
                shape=[side.num_rows, dimension],
                initializer=Normal(stddev=stddev),
            )
            keyed(self._ids, side.entities.vocabulary)
        if HISTORY in inputs:
            num_members = len(side.other_counts) - 1
            self._history = History(
                side.met, num_members, dimension, stddev, side.positives, side.are_items
            )
            keyed(self._history.table, side.others.vocabulary)
        if RECENT in inputs:
            self._recent = RecentItems(len(side.other_counts) - 1, dimension, stddev)
            keyed(self._recent.table, side.others.vocabulary)
        self._features = {
            name: FeatureEmbedding(name, side.feature(name), dimension, stddev, side.are_items)
            for name in sorted(set(inputs) - {ID, HISTORY, RECENT})
        }
        self._hidden = [Dense(units, "relu") for units in hidden_layers]
        if hidden_layers:
            self._hidden.append(Dense(dimension))
        self._id_decay = WeightDecay(side.counts, l2_power)
        self._history_decay = WeightDecay(side.other_counts, l2_power)

    def reads(self, entities: Entities, feature: str) -> bool:
        """Whether it makes vectors of these entities, and from this feature too."""
        return self._entities is entities and feature in self._features

    def without(self, feature: str, row: int) -> contextlib.AbstractContextManager[None]:
        """A feature of one id is missing as long as this lasts, see FeatureEmbedding."""
        return self._features[feature].without(row)

    def freeze(self) -> None:
        """Leaves open how many items there are, if it is theirs: for scoring alone."""
        self._is_frozen = True
        if self._are_items and self._ids is not None:
            self._item_table = ItemTable(self._ids, MEAN)
            self._ids = self._item_table.rows

    def call(
        self,
        ids: tf.Tensor,
        view: View,
        seed: AnySeed,
        told: Told = NOTHING_TOLD,
        training: bool = False,
    ) -> tf.Tensor:
        """`told` is what is known of users, for views that read it."""
        parts = self.parts(ids, view, seed, told, training=training)
        vectors = in_order(parts) if self._is_frozen else tf.add_n(parts)
        for layer in self._hidden:
            vectors = layer(vectors)
        return vectors

    def parts(
        self,
        ids: tf.Tensor,
        view: View,
        seed: AnySeed,
        told: Told = NOTHING_TOLD,
        training: bool = False,
    ) -> list[tf.Tensor]:
        """The vectors [n, D] of a view's inputs, before they are summed."""
        parts = [
            self._features[name](ids, told.features.get(name))
            for name in view.inputs
            if name in self._features
        ]
        if ID in view.inputs:
            # The unknown has no vector of its own: what features say of it, or nothing.
            known = tf.cast(ids > 0, tf.float32)[:, None]
            vectors = tf.cast(take_rows(self._ids, ids), tf.float32)  # they may be halved
            parts.append(vectors * known)
        if HISTORY in view.inputs:
            dropout = view.history_dropout if training else 0.0
            parts.append(self._history(ids, dropout, seed, view.of_positives, told.history))
        if RECENT in view.inputs:
            parts.append(self._recent(told.recent))
        return parts

    def halve(self) -> None:
        """Keeps the vectors of ids in float16: for scoring alone."""
        if self._ids is not None:
            self._ids = tf.Variable(tf.cast(self._ids, tf.float16), trainable=False, name="ids")

    def penalty(
        self,
        view: View,
        ids: tf.Tensor,
        other_ids: tf.Tensor,
        projection: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Weight decay of a view's id and history rows of a batch's events [B], see WeightDecay."""
        total = tf.zeros([])
        if ID in view.inputs:
            total += self._id_decay(self._ids, ids, projection)
        if HISTORY in view.inputs:
            total += self._history_decay(self._history.table, other_ids, projection)
        return total
