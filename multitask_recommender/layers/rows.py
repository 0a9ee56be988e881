"""Rows of tables, read without a copy where all of them are wanted."""

import numpy as np
import tensorflow as tf


def take_rows(table: tf.Tensor | tf.Variable, ids: tf.Tensor) -> tf.Tensor:
    """table [R, ...] at ids [n] -> [n, ...].

    Where ids are known, when the graph is made, to be all rows in their order, this is the table
    itself. A variable's gradient is dense then, and summing it by row costs nothing.
    """
    if _are_all(ids, table.shape[0]):
        return tf.convert_to_tensor(table)
    return tf.gather(table, ids)


def _are_all(ids: tf.Tensor, num_rows: int) -> bool:
    if ids.shape.rank != 1 or ids.shape[0] != num_rows:
        return False
    values = tf.get_static_value(ids)
    return values is not None and np.array_equal(values, np.arange(num_rows))
