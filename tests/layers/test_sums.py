"""Sums in their order."""

import numpy as np
import tensorflow as tf

from multitask_recommender.layers import sums


def test_it_begins_with_the_first():
    """2^24 + 1 is no float32: only 1 + 1 first makes a difference."""
    large, one = tf.fill([3, 5], 2.0**24), tf.ones([3, 5])

    np.testing.assert_array_equal(sums.in_order([large, one, one]), np.full([3, 5], 2.0**24))
    np.testing.assert_array_equal(sums.in_order([one, one, large]), np.full([3, 5], 2.0**24 + 2))
    traced = tf.function(lambda *parts: sums.in_order(parts))
    np.testing.assert_array_equal(traced(large, one, one), np.full([3, 5], 2.0**24))
