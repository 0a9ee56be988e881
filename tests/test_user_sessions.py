"""The latest events of users, and whose session ended when."""

import dataclasses

import numpy as np
import pytest

from multitask_recommender import user_sessions

# User 2 ends before user 1 in the log, and after him by time; user 3 comes between.
PAIRS = [(1, 4), (2, 1), (2, 3), (3, 2), (1, 1), (1, 4)]
TIMES = [1, 9, 8, 7, 3, 2]


def test_the_latest_events_are_in_the_order_of_time(make_events):
    latest = user_sessions.latest(make_events(PAIRS, TIMES, known=(1, 4)))  # users 2, 3 unknown

    users = np.array([3, 1, 2, 0])
    expected = [[2, 0, 0], [4, 4, 1], [3, 1, 0], [0, 0, 0]]
    assert latest.before({"user_id": users}).tolist() == expected


def test_without_times_the_order_of_the_log_counts(make_events):
    latest = user_sessions.latest(make_events(PAIRS, known=(3, 4)))

    assert latest.before({"user_id": np.array([1])}).tolist() == [[4, 1, 4]]


def test_of_a_session_of_a_thousand_the_latest_are_told(make_events):
    latest = user_sessions.latest(make_events([(1, n % 7 + 1) for n in range(1_000)], known=(1, 7)))

    (window,) = latest.before({"user_id": np.array([1])})
    assert window.tolist() == [n % 7 + 1 for n in range(800, 1_000)]


def test_nobodys_session_is_a_line_of_zeros(make_events):
    latest = user_sessions.latest(make_events([(1, 1)], known=(1, 1)).take(np.zeros(1, bool)))

    assert latest.before({"user_id": np.array([1, 0])}).tolist() == [[0], [0]]


@pytest.mark.parametrize(
    ("times", "ordered_by_user", "expected"),
    [
        (TIMES, False, [-1, 2, 5, 3]),  # by time: rows 0, 5, 4, 3, 2, 1
        (TIMES, True, [-1, 5, 2, 3]),  # two users' times do not compare: by the log
        (None, False, [-1, 5, 2, 3]),
    ],
)
def test_sessions_end_with_their_last_event(make_events, times, ordered_by_user, expected):
    rows = dataclasses.replace(make_events(PAIRS, times), ordered_by_user=ordered_by_user)

    assert user_sessions.ends(rows).tolist() == expected
