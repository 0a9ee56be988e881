"""Tables of items: the same rows, and any number of them."""

import numpy as np
import tensorflow as tf

from multitask_recommender.layers import item_table
from multitask_recommender.layers.item_table import MEAN, ItemTable


def test_there_may_be_more_rows_than_when_a_function_was_traced():
    table = ItemTable(tf.Variable([[0.0, 0.0], [1.0, 2.0]]), MEAN)
    read = tf.function(
        lambda ids: tf.gather(table.rows, ids), input_signature=[tf.TensorSpec([None], tf.int32)]
    )
    np.testing.assert_array_equal(read(tf.constant([1])), [[1, 2]])

    table.rows.assign([[0.0, 0.0], [1.0, 2.0], [5.0, 6.0]])

    np.testing.assert_array_equal(read(tf.constant([2, 1])), [[5, 6], [1, 2]])
    assert not table.rows.trainable


def test_values_stay_where_they_are_though_rows_were_read_before():
    variable = tf.Variable(tf.ones([40, 3]))
    tf.gather(variable, [5])  # from here on an ordinary read copies all of it

    table = ItemTable(variable, MEAN)

    held = (each.read_value_no_copy() for each in (variable, table.rows))
    assert np.shares_memory(*(np.asarray(memoryview(each)) for each in held))


def test_values_of_a_feature_may_get_wider_as_well():
    table = ItemTable(tf.constant([[0, 0], [1, 2]]), item_table.of_feature("genre/s"))

    table.rows.assign([[0, 0, 0], [1, 2, 3], [2, 0, 0]])

    assert table.rows.shape.as_list() == [None, None]
    assert item_table.feature_of(table.start) == "genre/s"
    assert item_table.feature_of(MEAN) is None
