"""A user's latest items as one vector, by hand."""

import numpy as np
import tensorflow as tf

from multitask_recommender.layers.recent_items import RecentItems


def test_the_newest_weighs_one_and_the_others_decay():
    layer = RecentItems(num_items=3, dimension=2, stddev=1.0)
    layer.table.assign([[9, 9], [1, 0], [0, 10], [100, 100]])
    layer._decay.assign(np.log(2.0))  # each weighs half of the next

    vectors = layer(tf.constant([[1, 2, 3], [2, 1, 0], [3, 0, 0], [0, 0, 0]]))

    expected = [[100.25, 105.0], [1.0, 5.0], [100.0, 100.0], [0.0, 0.0]]
    np.testing.assert_allclose(vectors, expected, rtol=1e-6)


def test_only_rows_of_the_items_get_a_gradient():
    layer = RecentItems(num_items=50, dimension=2, stddev=1.0)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(tf.constant([[7, 7, 20], [7, 0, 0]])))

    gradient = tape.gradient(total, layer.table)

    assert isinstance(gradient, tf.IndexedSlices)
    assert sorted(set(gradient.indices.numpy().tolist())) == [0, 7, 20]
