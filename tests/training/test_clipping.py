"""Gradients shortened to a norm, by hand: dense ones, and those of some rows of a table."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.training import optimizers
from multitask_recommender.training.clipping import clipped


def rows(values, indices, num_rows=5):
    values = tf.constant(values, tf.float32)
    return tf.IndexedSlices(values, tf.constant(indices), tf.constant([num_rows, values.shape[1]]))


def test_all_gradients_together_are_shortened_to_the_norm():
    """3, 4 and 12 are 13 long together: a norm of 6.5 halves each."""
    dense, table = clipped([tf.constant([3.0, 4.0]), rows([[0.0, 12.0]], [2])], 6.5)

    np.testing.assert_allclose(dense, [1.5, 2.0], rtol=1e-6)
    np.testing.assert_allclose(table.values, [[0.0, 6.0]], rtol=1e-6)
    np.testing.assert_array_equal(table.indices, [2])


def test_a_row_that_was_used_twice_counts_with_its_sum():
    """Row 4 is used with 5 and -1 (4 in all), row 0 with 3: 5 long, not the root of 35."""
    (table,) = clipped([rows([[5.0], [3.0], [-1.0]], [4, 0, 4])], 2.5)

    np.testing.assert_array_equal(table.indices, [4, 0])
    np.testing.assert_allclose(table.values, [[2.0], [1.5]], rtol=1e-6)


def test_shorter_gradients_stay_bit_for_bit():
    dense, table = clipped([tf.constant([0.3, 0.1]), rows([[0.7, 0.2]], [1])], 1.0)

    np.testing.assert_array_equal(dense, np.float32([0.3, 0.1]))
    np.testing.assert_array_equal(table.values, np.float32([[0.7, 0.2]]))


def test_gradients_of_nothing_stay_nothing():
    (dense,) = clipped([tf.zeros([2])], 1.0)

    np.testing.assert_array_equal(dense, [0.0, 0.0])


@pytest.mark.parametrize("name", ["adagrad", "rowwise_adagrad"])
def test_a_step_goes_along_the_clipped_gradient_and_leaves_other_rows(name):
    """The gradient 6, 8 of row 1 is 10 long and becomes 3, 4."""
    table = tf.Variable(tf.ones([3, 2]))
    optimizer = optimizers.build(name, 0.5, initial_accumulator=0.0, clip_norm=5.0)

    optimizer.apply_gradients([(rows([[4.0, 8.0], [2.0, 0.0]], [1, 1], 3), table)])

    squares = {"adagrad": np.array([9.0, 16.0]), "rowwise_adagrad": np.array(12.5)}[name]
    expected = 1.0 - 0.5 * np.array([3.0, 4.0]) / np.sqrt(squares)
    np.testing.assert_allclose(table, [[1, 1], expected, [1, 1]], rtol=1e-5)


@pytest.mark.parametrize("name", ["adagrad", "rowwise_adagrad", "adam", "lazy_adam"])
def test_every_optimizer_clips(name):
    """The second gradient is a hundred times the first, and clipped it is the same."""
    steps = []
    for scale in (1.0, 100.0):
        weight = tf.Variable([1.0, 2.0])
        optimizer = optimizers.build(name, 0.1, clip_norm=0.5)
        optimizer.apply_gradients([(tf.constant([3.0, 4.0]), weight)])
        optimizer.apply_gradients([(scale * tf.constant([-4.0, 3.0]), weight)])
        steps.append(weight.numpy())

    np.testing.assert_allclose(*steps, rtol=1e-6)
