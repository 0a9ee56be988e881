"""What replicas tell each other, by hand; across devices: tests/training/test_strategy.py."""

import numpy as np
import tensorflow as tf

from multitask_recommender.models import _replicas


def test_a_mean_of_losses_weighs_batches_by_their_rows():
    mean = _replicas.LossMean("like")
    mean.update_state(2.0, sample_weight=3)
    mean.update_state(tf.constant(6.0), sample_weight=tf.constant(1))

    assert float(mean.result()) == 3.0
    mean.reset_state()
    assert float(mean.result()) == 0.0


def test_a_gradient_of_some_rows_comes_back_from_its_table_with_rows_that_add_up():
    """Row 2 is used twice, and row 0 although its gradient is nothing."""
    values = tf.constant([[1.0, 2.0], [10.0, 20.0], [0.0, 0.0]])
    gradient = tf.IndexedSlices(values, tf.constant([2, 2, 0]), tf.constant([4, 2]))

    table = _replicas._with_uses(gradient)
    used = _replicas._used(table, values.shape[1:])

    np.testing.assert_array_equal(table[:, -1], [1, 0, 2, 0])
    np.testing.assert_array_equal(used.indices, [0, 2])
    np.testing.assert_array_equal(used.values, [[0, 0], [11, 22]])


def test_a_step_leaves_out_what_nothing_reads():
    read, unread = tf.Variable(1.0), tf.Variable(1.0)

    _replicas.apply(
        tf.keras.optimizers.legacy.SGD(0.5), [tf.constant(1.0), None], [read, unread], False
    )

    assert (float(read), float(unread)) == (0.5, 1.0)
