"""Sums that do not depend on where and when they are made."""

import numpy as np
import tensorflow as tf

from multitask_recommender.layers import sums


def test_it_begins_with_the_first():
    """2^24 + 1 is no float32: only 1 + 1 first makes a difference."""
    large, one = tf.fill([3, 5], 2.0**24), tf.ones([3, 5])

    np.testing.assert_array_equal(sums.in_order([large, one, one]), np.full([3, 5], 2.0**24))
    np.testing.assert_array_equal(sums.in_order([one, one, large]), np.full([3, 5], 2.0**24 + 2))


def test_a_sum_does_not_depend_on_its_place():
    parts = np.random.default_rng(0).normal(size=[5, 400]).astype(np.float32)
    traced = tf.function(
        lambda parts: sums.in_order(tf.unstack(parts, num=5)),
        input_signature=[tf.TensorSpec([5, None])],
    )
    expected = traced(parts).numpy()

    for number in range(1, 70):
        np.testing.assert_array_equal(
            traced(parts[:, 3 : 3 + number]), expected[3 : 3 + number], str(number)
        )
