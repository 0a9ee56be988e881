"""Validation that is one pair of each user, and what given negatives become in a split."""

import collections
import dataclasses

import numpy as np
import pydantic
import pytest

from multitask_recommender import splits
from multitask_recommender.given_negatives import GivenNegatives

# User 1 has four pairs (one of them in two rows), user 2 three, user 3 one.
PAIRS = [(1, 1), (2, 4), (1, 2), (3, 5), (1, 1), (2, 1), (1, 5), (2, 3), (1, 6)]
TESTED = [(3, 2), (2, 6)]
PARTS = [0] * len(PAIRS) + [2] * len(TESTED)


def rows(part) -> list[int]:
    """Which rows of the log a part has: `make_events` writes their numbers into the rating."""
    return part.labels["rating"].astype(int).tolist()


def cut(events, **settings):
    return splits.split(events, splits.Settings(validation_by="user", **settings))


@pytest.mark.parametrize("seed", range(6))
def test_one_pair_of_each_user_with_two_or_more_is_validation(make_events, seed):
    parts = cut(make_events(PAIRS + TESTED, parts=PARTS), name="given", seed=seed)

    held_out = {PAIRS[row] for row in rows(parts.validation)}
    assert sorted(user for user, _ in held_out) == [1, 2]
    assert not held_out & {PAIRS[row] for row in rows(parts.train)}
    assert sorted(rows(parts.train) + rows(parts.validation)) == list(range(len(PAIRS)))
    assert rows(parts.test) == [9, 10]


def test_every_pair_of_a_user_may_be_the_one(make_events):
    events = make_events(PAIRS + TESTED, parts=PARTS)
    seeds = range(300)

    drawn = collections.Counter(
        pair
        for seed in seeds
        for pair in {PAIRS[row] for row in rows(cut(events, name="given", seed=seed).validation)}
    )

    # One in four, and one in three, within four standard errors.
    assert all(abs(drawn[1, item] - 75) < 30 for item in (1, 2, 5, 6))
    assert all(abs(drawn[2, item] - 100) < 33 for item in (1, 3, 4))


def test_a_seed_draws_the_same_pairs_again(make_events):
    events = make_events(PAIRS + TESTED, parts=PARTS)

    first, again = (cut(events, name="given", seed=3).validation for _ in range(2))

    assert rows(first) == rows(again)


def test_random_leaves_test_as_it_is(make_events):
    events = make_events(PAIRS * 2)

    by_user = cut(events, name="random", test=0.3)
    by_share = splits.split(events, splits.Settings(test=0.3))

    assert rows(by_user.test) == rows(by_share.test)
    pairs = {(PAIRS * 2)[row] for row in rows(by_user.validation)}
    users = [user for user, _ in pairs]
    assert len(users) == len(set(users)) >= 1


def test_a_validation_of_nothing_is_nothing(make_events):
    parts = cut(make_events(PAIRS + TESTED, parts=PARTS), name="given", validation=0)

    assert len(parts.validation) == 0
    assert parts.train.source.warnings == ()


@pytest.mark.parametrize("name", ["time", "leave_last_out", "user_order", "tenrec_topn"])
def test_where_nothing_is_drawn_it_is_refused(name):
    message = f"validation_by is 'user', which goes with random and given: '{name}' draws no"

    with pytest.raises(pydantic.ValidationError, match=message):
        splits.Settings(name=name, validation_by="user")


def test_negatives_follow_the_items_when_they_are_numbered_anew(make_events):
    """Item 3 is in test alone, so it comes after 4 and 5 in the vocabulary."""
    events = make_events([(1, 1), (1, 2), (2, 4), (2, 5), (1, 3), (2, 1)], parts=[0] * 4 + [2] * 2)
    negatives = GivenNegatives(
        np.array([-1] * 4 + [1, 0], np.int32), np.array([[2, 3, 0], [4, 5, 2]], np.int32)
    )

    parts = splits.split(
        dataclasses.replace(events, negatives=negatives),
        splits.Settings(name="given", validation=0),
    )

    assert parts.test.items.raw_ids.tolist() == ["i1", "i2", "i4", "i5", "i3"]
    assert parts.test.given_negatives.tolist() == [[3, 4, 2], [2, 5, 0]]
    assert parts.train.negatives is None
