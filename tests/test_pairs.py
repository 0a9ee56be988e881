"""Pairs as numbers."""

import numpy as np

from multitask_recommender import pairs


def test_rows_have_the_same_key_if_they_are_of_the_same_pair(make_events):
    keys = pairs.keys_of(make_events([(1, 4), (2, 1), (1, 4), (4, 1), (1, 1), (2, 4)]))

    assert keys[0] == keys[2]
    assert len(set(keys.tolist())) == 5


def test_keys_come_once_each_and_ascending():
    assert pairs.distinct(np.array([5, 2, 5, 2**40, 2, 3])).tolist() == [2, 3, 5, 2**40]
    assert pairs.distinct(np.empty(0, np.int64)).tolist() == []


def test_rows_of_repeated_keys_come_by_key_then_by_row():
    rows, number = pairs.repeated(np.array([5, 2, 9, 5, 2**40, 2, 3, 5]))

    assert rows.tolist() == [1, 5, 0, 3, 7]
    assert number.tolist() == [0, 0, 1, 1, 1]
    for none in ([], [4], [7, 1]):
        assert [len(each) for each in pairs.repeated(np.array(none, np.int64))] == [0, 0]


def test_are_among_is_isin_of_any_shape():
    keys, in_order = np.array([[5, 0, 9], [7, 2, 2]]), np.array([2, 5, 5, 7])

    np.testing.assert_array_equal(pairs.are_among(keys, in_order), np.isin(keys, in_order))
    assert not pairs.are_among(keys, in_order[:0]).any()


def test_those_among_others_are_counted_as_often_as_they_occur():
    keys = np.array([7, 1, 3, 7, 7, 4])

    assert pairs.count_among(keys, [np.array([9, 7, 3, 3])]) == 4
    assert pairs.count_among(keys, [np.array([9, 3]), np.array([3, 4])]) == 2
    assert pairs.count_among(keys, [keys[:0]]) == pairs.count_among(keys[:0], [keys]) == 0
