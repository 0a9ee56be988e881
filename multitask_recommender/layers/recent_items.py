"""What a user has met of late, as a vector: a weighted sum of items, newer ones weighing more."""

import tensorflow as tf

from multitask_recommender.layers.features import Stddev
from multitask_recommender.layers.initial import Normal
from multitask_recommender.layers.item_table import MEAN, ItemTable
from multitask_recommender.layers.rows import lookup
from multitask_recommender.schema import PAD

_INITIAL_DECAY = 0.3  # an item weighs exp(-0.3) of the next newer one, at first


class RecentItems(tf.keras.layers.Layer):
    """Item ids [n, T], oldest first and 0-padded on the right -> [n, D].

    The pooled history of Covington et al., "Deep Neural Networks for YouTube Recommendations",
    RecSys 2016, section 3.2. Differs from the paper: instead of a mean, the newest item weighs
    one, and the others exp(-decay * age), with a decay that is learnt.
    """

    def __init__(self, num_items: int, dimension: int, stddev: Stddev) -> None:
        super().__init__(name="recent")
        self.table = self.add_weight(
            name="table",
            shape=[num_items + 1, dimension],
            initializer=Normal(stddev=stddev),
        )
        self._decay = self.add_weight(
            name="decay", shape=[], initializer=tf.constant_initializer(_INITIAL_DECAY)
        )

    def freeze(self) -> None:
        """Leaves open how many items there are: for scoring alone."""
        self._item_table = ItemTable(self.table, MEAN)
        self.table = self._item_table.rows

    def call(self, items: tf.Tensor) -> tf.Tensor:
        known = tf.cast(items != PAD, tf.float32)  # [n, T]
        age = tf.cumsum(known, axis=1, exclusive=True, reverse=True)  # 0 for the newest
        weights = known * tf.exp(-self._decay * age)
        # Each distinct item is read once, so that the gradient is as sparse as the batch.
        distinct, places = tf.unique(tf.reshape(items, [-1]))
        vectors = tf.gather(lookup(self.table, distinct), tf.reshape(places, tf.shape(items)))
        return tf.einsum("nt,ntd->nd", weights, vectors)
