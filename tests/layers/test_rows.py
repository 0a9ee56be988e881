"""Tables in shards: whose rows are read where they lie."""

import numpy as np
import tensorflow as tf

from multitask_recommender.layers.rows import lookup, whole


def in_shards(*shards):
    """A table as parameter servers hold it, of these blocks of rows."""
    return tf.__internal__.distribute.ShardedVariable([tf.Variable(each) for each in shards])


def test_rows_of_a_table_in_shards_are_asked_of_those_who_hold_them():
    table = in_shards([[1.0], [2.0]], [[3.0], [4.0]], [[5.0]])

    with tf.GradientTape() as tape:
        rows = lookup(table, tf.constant([[4, 0], [1, 4]]))
        total = tf.reduce_sum(rows)
    gradients = tape.gradient(total, table.variables)

    np.testing.assert_array_equal(rows[..., 0], [[5.0, 1.0], [2.0, 5.0]])
    assert all(isinstance(each, tf.IndexedSlices) for each in gradients)
    found = [sorted(each.indices.numpy()) for each in gradients]
    assert found == [[0, 1], [], [0, 0]]  # by places within the shard


def test_a_table_stands_once_in_the_place_of_its_shards():
    one, table, other = tf.Variable(1.0), in_shards([[1.0]], [[2.0]]), tf.Variable(2.0)

    found = whole([one, *table.variables, other])

    assert [id(each) for each in found] == [id(one), id(table), id(other)]
