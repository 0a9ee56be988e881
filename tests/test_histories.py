"""Who met what, as sets and in order."""

import numpy as np
import pytest

from multitask_recommender import histories
from multitask_recommender.interactions import Entities, Interactions


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


def test_an_item_that_was_ever_a_positive_was_not_left():
    train = _clicks(
        users=[1, 1, 1, 2, 2, 1], items=[3, 4, 3, 3, 1, 2], clicks=[0, 0, 1, 0, 1, np.nan]
    )

    splits, items = histories.items_left_by_users(train, "click")

    assert splits.tolist() == [0, 0, 1, 2, 2]
    assert items.tolist() == [4, 3]


class TestRecent:
    """Three users, of whom 3 clicked nothing; times repeat."""

    @pytest.fixture
    def recent(self):
        train = _clicks(
            users=[1, 2, 1, 1, 2, 1, 3],
            items=[5, 1, 6, 7, 2, 8, 9],
            clicks=[1, 1, 1, 0, 1, 1, 0],
            times=[10, 40, 30, 20, 10, 30, 10],
        )
        return histories.Recent(train, length=2, positive="click")

    def windows(self, recent, users, times=None):
        users = np.array(users)
        ends = recent.ends(users, None if times is None else np.array(times))
        return recent.windows(users, ends).tolist()

    def test_holds_what_came_before_the_event_and_not_in_its_own_second(self, recent):
        events = [(1, 10), (1, 11), (1, 30), (1, 31), (2, 40), (2, 41), (3, 99)]

        windows = self.windows(recent, *zip(*events, strict=True))

        assert windows == [[0, 0], [5, 0], [5, 0], [6, 8], [2, 0], [2, 1], [0, 0]]

    def test_without_times_is_all_there_was(self, recent):
        assert self.windows(recent, [2, 1, 3]) == [[2, 1], [6, 8], [0, 0]]

    def test_knows_times_that_training_never_saw(self, recent):
        windows = self.windows(recent, [1, 2, 1, 2], [-(10**9), 0, 10**9, 2**40])

        assert windows == [[0, 0], [0, 0], [6, 8], [2, 1]]

    def test_an_unknown_user_has_none(self, recent):
        assert self.windows(recent, [0, 4], [50, 50]) == [[0, 0], [0, 0]]

    def test_without_a_label_every_event_counts(self):
        train = _clicks([1, 1], [5, 6], [0, 1], times=[1, 2])

        assert self.windows(histories.Recent(train, 3), [1]) == [[5, 6, 0]]

    def test_of_no_positives_at_all(self):
        train = _clicks([1, 1], [5, 6], [0, 0], times=[1, 2])

        assert self.windows(histories.Recent(train, 2, "click"), [1, 1], [1, 5]) == [[0, 0]] * 2


def _clicks(users, items, clicks, times=None):
    return Interactions(
        np.array(users, np.int32),
        np.array(items, np.int32),
        Entities(np.arange(1, 4), 3),
        Entities(np.arange(1, 10), 9),
        {"click": np.array(clicks, np.float32)},
        {"click": ~np.isnan(clicks)},
        None if times is None else np.array(times),
    )
