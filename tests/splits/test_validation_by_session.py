"""Validation that is whole users, those whose events ended last."""

import dataclasses

import pydantic
import pytest

from multitask_recommender import splits
from multitask_recommender.errors import DataError

# Users 1 to 5; user 4 has one event, and user 6 is of test.
PAIRS = [(1, 1), (2, 4), (1, 2), (3, 5), (3, 1), (2, 1), (4, 3), (5, 2), (5, 2), (5, 6), (6, 1)]
PARTS = [0] * 10 + [2]
TIMES = [1, 90, 2, 30, 31, 80, 99, 11, 10, 9, 100]


def rows(part) -> list[int]:
    """Which rows of the log a part has: `make_events` writes their numbers into the rating."""
    return part.labels["rating"].astype(int).tolist()


def cut(events, **settings):
    settings = {"name": "given", "validation_by": "session", "validation": 0.5, **settings}
    return splits.split(events, splits.Settings(**settings))


def test_the_last_event_of_each_is_validation_and_what_came_before_is_told(make_events):
    """Of the users 1, 2, 3 and 5 those who ended last by time are 2 and 3."""
    parts = cut(make_events(PAIRS, TIMES, PARTS))

    assert rows(parts.validation) == [1, 4]
    assert rows(parts.fold_in) == [3, 5]
    assert rows(parts.train) == [0, 2, 6, 7, 8, 9]
    assert rows(parts.test) == [10]
    assert rows(parts.train_and_validation) == [0, 2, 6, 7, 8, 9, 3, 5, 1, 4]


def test_without_a_clock_the_log_says_who_ended_last(make_events):
    """Users 2 and 5 do; by their own order, user 5 met item 2 last, in row 7."""
    parts = cut(dataclasses.replace(make_events(PAIRS, TIMES, PARTS), ordered_by_user=True))

    assert rows(parts.validation) == [1, 7]
    assert rows(parts.fold_in) == [5, 8, 9]


def test_a_user_of_one_event_stays_in_train(make_events):
    parts = cut(make_events(PAIRS, TIMES, PARTS), validation=0.99)

    assert rows(parts.train) == [6]
    assert rows(parts.validation) == [1, 2, 4, 7]


def test_a_share_that_rounds_to_nothing_is_a_warning(make_events):
    parts = cut(make_events(PAIRS, TIMES, PARTS), validation=0.1)

    assert len(parts.validation) == len(parts.fold_in) == 0
    assert "No row of 11 is left for validation" in parts.train.source.warnings[0]


def test_a_validation_of_nothing_is_nothing(make_events):
    parts = cut(make_events(PAIRS, TIMES, PARTS), validation=0)

    assert len(parts.train) == 10
    assert parts.train.source.warnings == ()


def test_rows_without_order_have_no_last_event(make_events):
    with pytest.raises(DataError, match="split.name is given, but .* has no timestamps"):
        cut(make_events(PAIRS, parts=PARTS))


@pytest.mark.parametrize("name", ["random", "time"])
def test_where_nothing_is_given_it_is_refused(name):
    message = f"validation_by is 'session', which goes with given: '{name}' draws no validation"

    with pytest.raises(pydantic.ValidationError, match=message):
        splits.Settings(name=name, validation_by="session")
