"""Draws: a share's are those of its lines in the whole batch."""

import numpy as np
import tensorflow as tf

from multitask_recommender.layers import draws
from multitask_recommender.shares import Lines

KEY = tf.constant([3, 4])


def seed(*places, number, ids=None):
    return draws.Seed(KEY, Lines(tf.constant(places), tf.constant(number), ids))


def test_a_share_drops_what_the_whole_batch_drops_in_its_lines():
    values = tf.reshape(tf.range(1.0, 36.0), [7, 5])
    whole = draws.dropout(values, 0.4, KEY)

    own = draws.dropout(tf.gather(values, [1, 5]), 0.4, seed(1, 5, number=7))

    assert 0 < np.count_nonzero(whole.numpy()[[1, 5]]) < 10
    np.testing.assert_array_equal(own, whole.numpy()[[1, 5]])


def test_members_of_lines_are_kept_alike():
    lengths = tf.constant([2, 3, 0, 4])  # by id
    whole = draws.are_kept(9, lambda ids: tf.gather(lengths, ids), 0.5, KEY)
    lines = seed(1, 3, number=4, ids=tf.range(4))

    own = draws.are_kept(7, lambda ids: tf.gather(lengths, ids), 0.5, lines)

    expected = np.concatenate([whole.numpy()[2:5], whole.numpy()[5:9]])
    assert 0 < expected.sum() < 7
    np.testing.assert_array_equal(own, expected)


def test_numbers_and_seeds_of_other_purposes_follow_the_lines():
    whole = draws.uniform(2, 5, draws.fold_in(KEY, 9))

    own = draws.uniform(2, 2, draws.fold_in(seed(0, 4, number=5), 9))

    np.testing.assert_array_equal(own, whole.numpy()[[0, 4]])
    assert draws.seed_of(KEY, None) is KEY


def test_places_are_drawn_by_their_exponentials():
    """300 places, which is more than one block of them; one place is excluded."""
    shares = np.full(300, 0.5 / 297)
    shares[[7, 290, 299]] = [0.3, 0.2, 0.0]
    logits = np.where(shares > 0, np.log(np.maximum(shares, 1e-9)), -1e30).astype(np.float32)
    points = tf.random.stateless_uniform([2, 20_000], [1, 2])

    drawn = draws.categorical(tf.constant(np.stack([logits, logits + 5])), points).numpy()

    for line in drawn:
        counts = np.bincount(line, minlength=300) / 20_000
        assert abs(counts[7] - 0.3) < 0.015
        assert abs(counts[290] - 0.2) < 0.015
        assert counts[299] == 0
        others = np.delete(counts, [7, 290, 299])
        assert abs(others.sum() - 0.5) < 0.015
        assert others.max() < 0.005
    assert draws.categorical(
        tf.constant([[0.0, 0.0]]), tf.constant([[0.0, 0.49, 0.51]])
    ).numpy().tolist() == [[0, 0, 1]]
