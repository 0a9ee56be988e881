"""What holds of any log that is split: nothing is lost, nothing leaks, and order is kept."""

import contextlib

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from multitask_recommender import splits
from multitask_recommender.errors import DataError
from tests.fuzzing import BOUNDED

EVENTS = st.lists(
    st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(0, 9)), min_size=1, max_size=25
)
SHARES = st.sampled_from([0.0, 0.2, 0.5])
NAMES = ["random", "time", "leave_last_out", "user_order"]


def numbers(part):
    """Which rows of the log a part has: `make_events` writes their numbers into the rating."""
    return part.labels["rating"].astype(int).tolist()


@pytest.mark.parametrize("name", NAMES)
@BOUNDED
@hypothesis.given(events=EVENTS, test=SHARES, validation=SHARES, seed=st.integers(0, 3))
def test_any_log(make_events, name, events, test, validation, seed):
    times = [time for *_, time in events]
    log = make_events([pair for *pair, _ in events], times=times)
    with contextlib.suppress(DataError):
        settings = splits.Settings(name=name, test=test, validation=validation, seed=seed)
        parts = splits.split(log, settings)
        assert_nothing_is_lost(log, parts)
        assert parts.keeps_pairs
        assert_nothing_leaks(parts)
        if name != "random":
            assert_order(np.array(times), log.user_ids, parts, name)


def assert_nothing_is_lost(log, parts):
    """Each row is in one part or counted as dropped, and is what it was: by raw ids."""
    each = [numbers(part) for part in (parts.train, parts.validation, parts.test)]
    rows = sum(each, [])
    assert len(rows) == len(set(rows)) == len(log) - parts.num_dropped
    for part, places in zip((parts.train, parts.validation, parts.test), each, strict=True):
        for side, ids in (("users", "user_ids"), ("items", "item_ids")):
            found = getattr(part, side).raw_ids[getattr(part, ids) - 1]
            expected = getattr(log, side).raw_ids[getattr(log, ids)[places] - 1]
            np.testing.assert_array_equal(found, expected)


def assert_nothing_leaks(parts):
    """A pair lies on one side, and the vocabulary knows of nothing that only test has."""
    train, validation, test = (
        set(zip(part.user_ids.tolist(), part.item_ids.tolist(), strict=True))
        for part in (parts.train, parts.validation, parts.test)
    )
    assert not (train & test or train & validation or validation & test)
    for ids, known in (("user_ids", parts.train.num_users), ("item_ids", parts.train.num_items)):
        learnt = np.concatenate([getattr(parts.train, ids), getattr(parts.validation, ids)])
        assert set(range(1, known + 1)) == set(learnt.tolist())


def assert_order(times, users, parts, name):
    """What is learnt from is not later than what is held out: for all, or user by user."""
    train, validation, test = (
        numbers(part) for part in (parts.train, parts.validation, parts.test)
    )
    for before, after in ((train, validation), (train, test), (validation, test)):
        for user in [None] if name == "time" else set(users.tolist()):
            early = [times[row] for row in before if user in (None, users[row])]
            late = [times[row] for row in after if user in (None, users[row])]
            if early and late:
                assert max(early) <= min(late)
