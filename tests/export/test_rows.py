"""Lists in variables, and the latest of them in a graph, as `histories` has them in numpy."""

import numpy as np
import tensorflow as tf

from multitask_recommender import histories
from multitask_recommender.export.rows import Lists, latest, side_by_side


def test_lists_are_padded_to_the_longest_that_is_asked_for():
    lists = Lists((np.array([0, 0, 3, 4, 6]), np.array([5, 6, 7, 8, 9, 4])))

    assert lists.of(tf.constant([3, 0, 2])).numpy().tolist() == [[9, 4], [0, 0], [8, 0]]
    assert lists.of(tf.constant([0])).shape == (1, 0)
    assert lists.of(tf.zeros([0], tf.int32)).shape == (0, 0)


def test_the_latest_are_those_of_histories():
    generator = np.random.default_rng(5)
    given = generator.integers(1, 9, [7, 6]) * (generator.random([7, 6]) < 0.6)
    given[2] = 0

    for length in (1, 3, 9):
        found = latest(tf.constant(given, tf.int32), length).numpy()

        expected = histories.latest(given, length)
        np.testing.assert_array_equal(found, expected[:, : found.shape[1]])
        assert not expected[:, found.shape[1] :].any()


def test_nothing_has_no_latest():
    assert latest(tf.zeros([2, 0], tf.int32), 3).shape == (2, 0)


def test_lists_side_by_side_are_equally_wide_and_have_a_column():
    found = side_by_side(tf.constant([[1, 2], [3, 0]]), tf.zeros([2, 0], tf.int32))
    nothing = side_by_side(tf.zeros([2, 0], tf.int32), tf.zeros([2, 0], tf.int32))

    assert [each.numpy().tolist() for each in found] == [[[1, 2], [3, 0]], [[0, 0], [0, 0]]]
    assert [each.shape for each in nothing] == [(2, 1), (2, 1)]
