"""The vectors of ranking tasks: views of towers, projected."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.layers.ranking_space import RankingSpace
from multitask_recommender.layers.tower import Tower, View, sides

IDS = tf.constant([1, 2, 2]), tf.constant([3, 1, 3])
VIEW = View(("id",))


@pytest.fixture
def build(tiny):
    def build(dimension=None, l2=(0.0, 0.0)):
        both = sides(tiny)
        towers = tuple(Tower(side, ["id"], dimension=4) for side in both)
        space = RankingSpace(both, towers, (VIEW, VIEW), dimension, l2, l2_power=0.5)
        return space, towers

    return build


def seeds():
    return tf.zeros([2, 2], tf.int32)


def test_without_a_dimension_vectors_are_those_of_the_towers(build):
    space, towers = build()

    users, items = space((tf.constant([1, 4]), tf.constant([5])), seeds())

    np.testing.assert_array_equal(users, towers[0]._ids.numpy()[[1, 4]])
    np.testing.assert_array_equal(items, towers[1]._ids.numpy()[[5]])


def test_a_projection_begins_with_the_last_coordinates_and_is_learnt(build):
    space, towers = build(dimension=3)

    users, _ = space((tf.constant([2]), tf.constant([5])), seeds())

    np.testing.assert_allclose(users[0], towers[0]._ids.numpy()[2, 1:], rtol=1e-6)
    shapes = sorted(tuple(each.shape) for each in space.trainable_variables)
    assert shapes == [(4, 3), (4, 3), (5, 1), (5, 4), (7, 1), (7, 4)]


def test_fields_are_the_biases_of_each_row(build):
    space, _ = build()
    space._biases[0].assign(np.arange(5.0)[:, None])
    space._biases[1].assign(10 * np.arange(7.0)[:, None])

    users, items = space.fields(IDS)

    assert users.numpy().tolist() == [[1], [2], [2]]
    assert items.numpy().tolist() == [[30], [10], [30]]


def test_weight_decay_is_of_projected_rows_and_of_biases(build):
    space, towers = build(dimension=2, l2=(0.5, 0.25))
    space._biases[0].assign([[9.0], [1], [2], [9], [9]])
    space._biases[1].assign([[9.0], [3], [9], [4], [9], [9], [9]])
    own, other = (np.square(tower._ids.numpy()[:, 2:]).sum(axis=1) for tower in towers)

    def charged(users, items):  # events: of user 1 four, of 2 two; of item 1 five, of 3 one
        of_users = users[1] / np.sqrt(4) + 2 * users[2] / np.sqrt(2)
        return (of_users + 2 * items[3] + items[1] / np.sqrt(5)) / 3

    expected = 0.5 * charged(own, other) + 0.25 * charged([0, 1, 4], [0, 9, 0, 16])
    assert float(space.penalty(IDS)) == pytest.approx(expected, rel=1e-5)


def test_without_weight_decay_nothing_is_charged(build):
    assert float(build(dimension=2)[0].penalty(IDS)) == 0
