"""Who met what, as compressed rows."""

import numpy as np

from multitask_recommender import histories


def rows_of(grouped):
    splits, members = grouped
    return [members[start:end].tolist() for start, end in zip(splits, splits[1:], strict=False)]


def test_each_user_has_his_distinct_items_in_order_and_the_unknown_none(make_events):
    events = make_events([(3, 4), (1, 2), (3, 1), (1, 2), (3, 3)], known=(4, 6))

    splits, members = histories.items_of_users(events)

    assert (splits.dtype, members.dtype) == (np.int64, np.int32)
    assert rows_of((splits, members)) == [[], [2], [], [1, 3, 4], []]


def test_each_item_has_its_distinct_users(make_events):
    events = make_events([(3, 4), (1, 2), (3, 1), (1, 2), (2, 1)], known=(3, 5))

    assert rows_of(histories.users_of_items(events)) == [[], [2, 3], [1], [], [3], []]


def test_only_chosen_events_count(make_events):
    events = make_events([(1, 3), (1, 2), (2, 1), (1, 1)], known=(2, 3))
    chosen = np.array([True, False, False, True])

    assert rows_of(histories.items_of_users(events, chosen)) == [[], [1, 3], []]
    nothing = np.zeros(4, bool)
    assert rows_of(histories.items_of_users(events, nothing)) == [[], [], []]


def test_large_ids_do_not_run_over(make_events):
    events = make_events([(70_000, 60_000), (2, 70_001)], known=(70_000, 70_001))

    grouped = rows_of(histories.items_of_users(events))

    assert (grouped[70_000], grouped[2]) == ([60_000], [70_001])


def test_counts_are_of_events_with_their_repetitions():
    counts = histories.counts(np.array([2, 2, 5, 1, 2]), 6)

    assert counts.tolist() == [0, 1, 3, 0, 0, 1, 0]
    assert counts.dtype == np.float32
