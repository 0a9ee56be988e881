"""What the losses of retrieval look up of who met what, against sets of Python."""

import numpy as np
import tensorflow as tf

from multitask_recommender.tasks._batch import Batch, are_drawn_members

ITEMS_OF_USERS = [[], [3], [], [1, 2, 5, 8, 9], [2, 4, 7], []]  # of the unknown user and 1 to 5


def batch_of(user_ids, drawn):
    left = dict.fromkeys(
        ("occurring", "queries", "candidates", "query_rows", "candidate_rows", "ids")
    )
    return Batch(user_ids=tf.constant(user_ids), drawn=tf.constant(drawn), **left)


def test_what_was_drawn_is_looked_for_among_the_items_of_its_own_user():
    items_of_users = tf.ragged.constant(ITEMS_OF_USERS, dtype=tf.int32)
    user_ids = np.array([3, 5, 0, 4, 1, 3, 2], np.int32)
    drawn = np.stack([np.random.default_rng(row).permutation(np.arange(1, 11)) for row in range(7)])

    found = are_drawn_members(items_of_users, 5, batch_of(user_ids, drawn.astype(np.int32)))

    expected = [
        [item in ITEMS_OF_USERS[user] for item in row]
        for user, row in zip(user_ids, drawn, strict=True)
    ]
    np.testing.assert_array_equal(found, expected)
    assert 0 < np.sum(expected) == 5 + 5 + 3 + 1


def test_of_nothing_that_was_met_nothing_is_found():
    nothing = tf.ragged.constant([[], [], []], dtype=tf.int32)

    found = are_drawn_members(nothing, 0, batch_of([2, 0], [[1, 2, 3], [3, 2, 1]]))

    np.testing.assert_array_equal(found, np.zeros([2, 3], bool))
