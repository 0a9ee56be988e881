"""Items by the cosine of an index's own vectors, whatever the order and the gaps of its rows."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.index import brute_force, ivf
from multitask_recommender.index.settings.brute_force import Settings as Everything
from multitask_recommender.index.settings.ivf import Settings as Leaves

# The last coordinate is a bias, which is no part of the direction. Item 4 has no direction.
VECTORS = np.array([[3, 4, 9], [0, 2, -5], [6, 8, 0], [0, 0, 7], [-1, 0, 1]], np.float32)
LENGTHS = np.array([5, 2, 10, 1e-12, 1], np.float32)


@pytest.mark.parametrize(
    "index",
    [brute_force.Index(Everything(), VECTORS), ivf.Index(Leaves(leaves=2, searched=1), VECTORS)],
    ids=["brute_force", "ivf"],
)
def test_all_items_are_found_by_the_cosine_without_biases(index):
    queries = tf.constant([[0.6, 0.8, 0.0], [0.0, 1.0, 0.0]])  # the directions of items 1 and 2

    scores, ids = index.cosines(LENGTHS)(queries, tf.constant(5), tf.constant([[1, 0], [2, 3]]))

    np.testing.assert_array_equal(ids, [[3, 2, 4, 5, 0], [1, 4, 5, 0, 0]])
    np.testing.assert_allclose(scores[0, :4], [1.0, 0.8, 0.0, -0.6], atol=1e-6)
    np.testing.assert_allclose(scores[1, :3], [0.8, 0.0, 0.0], atol=1e-6)


def test_however_many_are_left_out_the_rest_is_found():
    number = 16_390  # beyond what an approximate index asks for in excess
    angles = np.linspace(0, np.pi / 2, number, dtype=np.float32)
    vectors = np.stack([np.cos(angles), np.sin(angles), np.zeros(number, np.float32)], axis=1)
    index = brute_force.Index(Everything(), vectors)

    nearest = tf.range(1, number - 2)[None]  # to the first axis: all but the last three
    _, ids = index.cosines(np.ones(number, np.float32))(
        tf.constant([[1.0, 0.0, 0.0]]), tf.constant(3), nearest
    )

    np.testing.assert_array_equal(ids, [[number - 2, number - 1, number]])
