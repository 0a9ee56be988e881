"""Histories as vectors, by both of the ways in which they are summed."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.layers import history
from multitask_recommender.layers.history import History

# Of ids 0..4; members are 1..3.
SPLITS = np.array([0, 0, 2, 3, 3, 6])
MEMBERS = np.array([1, 3, 2, 1, 2, 3], np.int32)
IDS = tf.constant([4, 1, 0, 1, 3, 2])
SEED = tf.constant([1, 2])


@pytest.fixture(params=["dense", "ragged"])
def layer(request, monkeypatch):
    if request.param == "ragged":
        monkeypatch.setattr(history, "_DENSE_CELLS", 0)
    layer = History((SPLITS, MEMBERS), num_members=3, dimension=2, stddev=0.1)
    assert (layer._met.dense is None) == (request.param == "ragged")
    layer.table.assign([[1e6, 1e6], [1, 2], [10, 20], [100, -200]])  # row 0 is never read
    return layer


def test_members_are_summed_over_the_root_of_their_number(layer):
    expected = [
        np.array([111, -178]) / np.sqrt(3),
        np.array([101, -198]) / np.sqrt(2),
        [0, 0],
        np.array([101, -198]) / np.sqrt(2),
        [0, 0],
        [10, 20],
    ]

    np.testing.assert_allclose(layer(IDS, 0.0, SEED), expected, rtol=1e-6)


def test_positives_are_read_from_the_same_table(layer):
    positives = np.array([0, 0, 1, 1, 1, 3]), np.array([3, 1, 2], np.int32)
    both = History((SPLITS, MEMBERS), 3, dimension=2, stddev=0.1, positives=positives)
    both.table.assign(layer.table)

    of_positives = both(IDS, 0.0, SEED, True)

    of_4 = np.array([11, 22]) / np.sqrt(2)
    expected = [of_4, [100, -200], [0, 0], [100, -200], [0, 0], [0, 0]]
    np.testing.assert_allclose(of_positives, expected, rtol=1e-6)
    np.testing.assert_array_equal(both(IDS, 0.0, SEED), layer(IDS, 0.0, SEED))


def test_the_gradient_reaches_each_member_once_for_each_time_it_is_read(layer):
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(IDS, 0.0, SEED)[:, 0])
    gradient = tf.convert_to_tensor(tape.gradient(total, layer.table)).numpy()

    of_1, of_4 = 1 / np.sqrt(2), 1 / np.sqrt(3)
    expected = [0, 2 * of_1 + of_4, 1 + of_4, 2 * of_1 + of_4]
    np.testing.assert_allclose(gradient[:, 0], expected, rtol=1e-6)
    np.testing.assert_array_equal(gradient[:, 1], 0)


def test_dropout_leaves_the_mean_as_it_is_and_drops_as_many_as_it_says(layer):
    ids = tf.fill([4_000], 4)
    layer.table.assign([[0, 0], [1, 0], [0, 1], [1, 0]])

    dropped = layer(ids, 0.25, SEED).numpy() * np.sqrt(3)

    np.testing.assert_allclose(dropped.mean(axis=0), [2, 1], atol=0.06)
    kept = dropped[:, 1] > 0
    assert kept.mean() == pytest.approx(0.75, abs=0.03)
    np.testing.assert_allclose(dropped[kept, 1], 1 / 0.75, rtol=1e-5)


def test_dropout_depends_on_the_seed_alone(layer):
    ids = tf.fill([50], 4)

    np.testing.assert_array_equal(layer(ids, 0.5, SEED), layer(ids, 0.5, SEED))
    assert (layer(ids, 0.5, SEED) != layer(ids, 0.5, tf.constant([1, 3]))).numpy().any()


def test_a_large_history_is_summed_row_by_row_and_its_gradient_is_sparse(monkeypatch):
    monkeypatch.setattr(history, "_DENSE_CELLS", 19)  # 5 ids x 4 members are 20
    layer = History((SPLITS, MEMBERS), num_members=3, dimension=2, stddev=0.1)

    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(tf.constant([2]), 0.0, SEED))
    gradient = tape.gradient(total, layer.table)

    assert gradient.indices.numpy().tolist() == [2]


def test_everything_may_be_dropped(layer):
    dropped = layer(tf.constant([2, 0]), 0.999999, SEED)

    assert dropped.numpy().tolist() == [[0, 0], [0, 0]]
