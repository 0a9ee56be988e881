"""Where ranking tasks read users and items: a projection of two towers, and biases."""

import numpy as np
import tensorflow as tf

from multitask_recommender.layers.draws import AnySeed
from multitask_recommender.layers.item_table import MEAN, ItemTable
from multitask_recommender.layers.precision import product
from multitask_recommender.layers.rows import keyed, lookup
from multitask_recommender.layers.tower import NOTHING_TOLD, Side, Told, Tower, View
from multitask_recommender.layers.weight_decay import WeightDecay


class RankingSpace(tf.keras.layers.Layer):
    """Vectors of users and items for the pair that heads read.

    Args:
      sides: the users and the items.
      towers: of users and of items, retrieval's own or others.
      views: how ranking tasks read them.
      dimension: E; None leaves vectors as the towers give them.
      l2, bias_l2, l2_power: weight decay of (projected) rows and of biases, see WeightDecay.
    """

    def __init__(
        self,
        sides: tuple[Side, Side],
        towers: tuple[Tower, Tower],
        views: tuple[View, View],
        dimension: int | None,
        l2: tuple[float, float],
        l2_power: float,
    ) -> None:
        super().__init__(name="ranking")
        self._towers = towers
        self._views = views
        self._l2, self._bias_l2 = l2
        self._decays = [WeightDecay(side.counts, l2_power) for side in sides]
        self._biases = [
            keyed(
                self.add_weight(name=f"{name}_bias", shape=[side.num_rows, 1], initializer="zeros"),
                side.entities.vocabulary,
            )
            for name, side in zip(("user", "item"), sides, strict=True)
        ]
        self._projections = [None, None]
        if dimension is not None:
            self._projections = [
                self.add_weight(
                    name=f"{name}_projection",
                    shape=[tower.dimension, dimension],
                    initializer=tf.constant_initializer(_last(tower.dimension, dimension)),
                )
                for name, tower in zip(("user", "item"), towers, strict=True)
            ]

    def freeze(self) -> None:
        """Leaves open how many items there are: for scoring alone."""
        users, items = self._biases
        self._item_table = ItemTable(items, MEAN)
        self._biases = [users, self._item_table.rows]

    def reads_as(self, side: int, tower: Tower, view: View) -> bool:
        """Whether vectors of users (side 0) or items (1) are read just so here, before projection.

        Where something is dropped, each view drops what it likes.
        """
        is_same = self._towers[side] is tower and self._views[side] == view
        return is_same and not view.history_dropout

    def call(
        self,
        ids: tuple[tf.Tensor, tf.Tensor],
        seeds: tuple[AnySeed, AnySeed],
        given: tuple[tf.Tensor | None, tf.Tensor | None] = (None, None),
        told: Told = NOTHING_TOLD,
        training: bool = False,
    ) -> list[tf.Tensor]:
        """User ids [Q] and item ids [C] -> their vectors, [Q, E] and [C, E].

        `given` are vectors that retrieval has read already, where it `reads_as` we do; `told` is
        that of the users.
        """
        vectors = []
        for side, each in enumerate(given):
            tower, projection = self._towers[side], self._projections[side]
            if each is None:
                before = told if side == 0 else NOTHING_TOLD
                each = tower(ids[side], self._views[side], seeds[side], before, training=training)
            vectors.append(each if projection is None else product(each, projection))
        return vectors

    def fields(self, ids: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, ...]:
        """The biases [B, 1] of each row's user and item."""
        return tuple(lookup(bias, each) for bias, each in zip(self._biases, ids, strict=True))

    def penalty(self, ids: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        """Weight decay of the rows that the events [B] of a batch touch."""
        total = tf.zeros([])
        for side, (own, other) in enumerate((ids, ids[::-1])):
            if self._bias_l2:
                total += self._bias_l2 * self._decays[side](self._biases[side], own)
            if self._l2:
                tower, view = self._towers[side], self._views[side]
                total += self._l2 * tower.penalty(view, own, other, self._projections[side])
        return total


def _last(rows: int, columns: int) -> np.ndarray:
    """The matrix that picks the last `columns` of `rows` coordinates: where a projection begins."""
    return np.eye(rows, dtype=np.float32)[:, rows - columns :]
