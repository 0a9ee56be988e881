"""Rows that tell of held-out users: who learns of them, and when."""

import dataclasses

import numpy as np
import pytest

from multitask_recommender import splits
from multitask_recommender.interactions import Feature
from multitask_recommender.splits.coverage import unknown_rates

# Users 1 and 2 train, user 3 is validated, user 4 tested; item 5 is met in the fold-in of
# validation alone, item 6 in that of test.
PAIRS = [(4, 6), (1, 1), (3, 5), (4, 2), (1, 2), (2, 3), (3, 2), (3, 1), (4, 1), (2, 3)]
PARTS = [3, 0, 3, 3, 0, 0, 3, 1, 2, 0]


def rows(part) -> list[int]:
    """Which rows of the log a part has: `make_events` writes their numbers into the rating."""
    return part.labels["rating"].astype(int).tolist()


@pytest.fixture
def parts(make_events) -> splits.Splits:
    events = make_events(PAIRS, times=list(range(10)), parts=PARTS)
    return splits.split(events, splits.Settings(name="given"))


def test_they_are_in_no_other_part(parts):
    assert rows(parts.fold_in) == [0, 2, 3, 6]
    assert rows(parts.train) == [1, 4, 5, 9]
    assert (rows(parts.validation), rows(parts.test)) == ([7], [8])
    assert parts.num_dropped == 0


def test_the_refit_learns_those_of_validation_users_alone(parts):
    both = parts.train_and_validation

    assert rows(both) == [1, 4, 5, 9, 2, 6, 7]
    assert both.timestamps.tolist() == rows(both)


def test_the_vocabulary_is_what_the_refit_learns(parts):
    users, items = parts.fold_in.users, parts.fold_in.items

    assert users.raw_ids[: users.num_known].tolist() == ["u1", "u2", "u3"]
    assert items.raw_ids[: items.num_known].tolist() == ["i1", "i2", "i3", "i5"]
    assert items is parts.train.items


def test_they_are_counted_where_there_are_any(parts, make_events):
    without = splits.split(make_events(PAIRS, parts=[0] * 9 + [2]), splits.Settings(name="given"))

    assert parts.counts()["fold_in"] == {"rows": 4, "unknown_users": 2, "unknown_items": 1}
    assert unknown_rates(parts, {})["item_id"]["fold_in"] == 1 / 4
    assert list(without.counts()) == ["train", "validation", "test"]
    assert list(unknown_rates(without, {})["item_id"]) == ["train", "validation", "test"]
    assert len(without.fold_in) == 0


def test_features_of_the_log_do_not_learn_those_of_test(make_events):
    masks = []

    def features(learnt):
        masks.append(np.flatnonzero(learnt).tolist())
        return {}, {"met": Feature(np.zeros(7, np.float32))}, {}

    events = dataclasses.replace(make_events(PAIRS, parts=PARTS), log_features=features)
    splits.split(events, splits.Settings(name="given"))

    assert masks == [[1, 2, 4, 5, 6, 7, 9]]
