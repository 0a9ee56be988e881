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


def test_users_one_after_the_other_are_grouped_some_at_a_time(make_events, monkeypatch):
    monkeypatch.setattr(histories.columns, "_BLOCK", 3)
    pairs = [(1, 4), (1, 2), (1, 4), (2, 1), (4, 3), (4, 3), (4, 1), (5, 2), (6, 9)]
    events = make_events(pairs, known=(5, 4))
    chosen = np.array([True, True, True, False, True, True, True, True, True])

    assert rows_of(histories.items_of_users(events)) == [[], [2, 4], [1], [], [1, 3], [2]]
    assert rows_of(histories.items_of_users(events, chosen)) == [[], [2, 4], [], [], [1, 3], [2]]


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
        queries = {"user_id": np.array(users)}
        if times is not None:
            queries["timestamp"] = np.array(times)
        return recent.before(queries).tolist()

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


def test_times_of_any_size_order_events(make_events):
    """Nanoseconds: a user's number times the span of times would not fit 64 bits."""
    times = [1_700_000_000_000_000_000 + 10**17 * n for n in (3, 1, 2, 1, 3)]
    events = make_events([(1, 1), (1, 2), (900, 3), (900, 4), (900, 5)], times, known=(900, 5))

    recent = histories.Recent(events, 3)

    queries = {"user_id": events.user_ids, "timestamp": events.timestamps}
    assert recent.before(queries).tolist() == [[2, 0, 0], [0, 0, 0], [4, 0, 0], [0] * 3, [4, 3, 0]]


def test_items_outside_the_vocabulary_leave_no_gap(make_events):
    events = make_events([(1, 1), (1, 3), (1, 2)], [1, 2, 3], known=(1, 2))

    assert histories.Recent(events, 3).before({"user_id": np.array([1])}).tolist() == [[1, 2, 0]]


def test_queries_share_what_they_read(make_events):
    events = make_events([(1, 4), (1, 5), (2, 6)], [1, 2, 1], known=(3, 6))
    recent = histories.Recent(events, 2)
    queries = {
        "user_id": np.array([1, 1, 2, 3, 1, 0, 0, 0]),
        "timestamp": np.array([9, 9, 9, 9, 2, 9, 9, 9]),
        "history": np.array([[0, 0]] * 5 + [[1, 2], [1, 2], [0, 0]]),
    }

    told, rows, lengths = recent.shared(queries)

    assert told[rows].tolist() == recent.before(queries).tolist()
    assert lengths.tolist() == [2, 2, 1, 0, 1, 2, 2, 0]
    assert len(told) == 7  # the first two share one; users 3 and 0 have nothing, each his own


def test_the_latest_of_given_histories_wherever_their_padding_is():
    given = np.array([[1, 2, 3, 4], [0, 5, 0, 6], [7, 0, 0, 0], [0, 0, 0, 0]])

    assert histories.latest(given, 2).tolist() == [[3, 4], [5, 6], [7, 0], [0, 0]]
    assert histories.latest(given, 6)[1].tolist() == [5, 6, 0, 0, 0, 0]
    assert histories.latest(given[:, :1], 2).tolist() == [[1, 0], [0, 0], [7, 0], [0, 0]]


class TestSharedWindows:
    """User 1 clicks 5 6 7 8 9, user 3 clicks 4; user 2 is shown two items and clicks none."""

    @pytest.fixture
    def train(self):
        return _clicks(
            users=[3, 1, 1, 2, 1, 1, 1, 2, 1, 1],
            items=[4, 5, 6, 1, 1, 7, 8, 2, 9, 2],
            clicks=[1, 1, 1, 0, 0, 1, 1, 0, 1, 0],
            times=[3, 1, 2, 1, 3, 3, 4, 2, 5, 6],
        )

    def read(self, train, length):
        """Of each row, the items that it reads of its window; and how many windows there are."""
        recent = histories.Recent(train, length, positive="click")
        windows = histories.SharedWindows(recent, train)
        items = recent.windows(windows.starts, windows.ends)
        owner = np.repeat(np.arange(len(windows.starts)), np.diff(windows.splits))
        read = {
            int(row): items[window, :length].tolist()
            for row, window, length in zip(windows.rows, owner, windows.lengths, strict=True)
        }
        return [read[row] for row in range(len(train))], len(items)

    def test_a_row_reads_the_clicks_before_it(self, train):
        read, number = self.read(train, 5)

        assert read == [
            [],  # user 3
            [],
            [5],
            [],  # user 2
            [5, 6],  # shown, not clicked: it reads what the click of its second reads
            [5, 6],
            [5, 6, 7],
            [],
            [5, 6, 7, 8],
            [5, 6, 7, 8, 9],
        ]
        assert number == 3  # one a user

    def test_of_a_long_history_at_least_half_a_window_and_at_most_a_whole_one(self, train):
        read, number = self.read(train, 4)

        assert read[8] == [5, 6, 7, 8]
        assert read[9] == [7, 8, 9]  # a second window, two clicks on
        assert number == 4

    def test_of_one_item_at_a_time(self, train):
        read, _ = self.read(train, 1)

        assert read == [[], [], [5], [], [6], [6], [7], [], [8], [9]]

    def test_without_what_comes_first_the_other_rows_are_left(self, train):
        recent = histories.Recent(train, 5, positive="click")

        windows = histories.SharedWindows(recent, train, with_first=False)

        assert sorted(windows.rows.tolist()) == [2, 4, 5, 6, 8, 9]
        assert (len(windows.starts), windows.lengths.min()) == (1, 1)

    def test_no_window_holds_more_rows_than_it_may(self, train):
        recent = histories.Recent(train, 5, positive="click")

        windows = histories.SharedWindows(recent, train, most=3)

        assert np.diff(windows.splits).tolist() == [3, 3, 1, 2, 1]  # of users 1, 2 and 3
        assert windows.rows.tolist() == [1, 2, 4, 5, 6, 8, 9, 3, 7, 0]
        assert windows.starts.tolist()[:3] == [windows.starts[0]] * 3

    def test_of_no_rows(self, train):
        nothing = train.take(np.array([], np.int64))

        windows = histories.SharedWindows(histories.Recent(nothing, 3, "click"), nothing)

        assert (len(windows.rows), windows.splits.tolist()) == (0, [0])


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
