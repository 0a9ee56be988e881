"""The items that events are to be ranked among, where their source says."""

import dataclasses

import numpy as np
import pytest

from multitask_recommender.errors import DataError
from multitask_recommender.given_negatives import GivenNegatives


@pytest.fixture
def events(make_events):
    return make_events([(1, 1), (1, 3), (2, 2), (2, 3)])


@pytest.fixture
def given(events):
    """The last two of four events have lines, in the other order."""
    lines = np.array([-1, -1, 1, 0], np.int32)
    negatives = GivenNegatives(lines, np.array([[1, 3], [2, 0]], np.int32))
    return dataclasses.replace(events, negatives=negatives)


def test_taken_rows_have_their_own(given):
    assert given.take(np.array([3, 2])).given_negatives.tolist() == [[1, 3], [2, 0]]
    assert given.take(np.array([2])).given_negatives.tolist() == [[2, 0]]


def test_rows_that_have_none_carry_none(given):
    assert given.take(np.array([True, True, False, False])).negatives is None


def test_they_are_for_all_rows_or_none(given):
    assert given.given_negatives is None
    assert given.take(np.array([1, 2])).given_negatives is None


def test_they_are_as_many_as_the_rows(events):
    one = GivenNegatives(np.zeros(1, np.int32), np.ones((1, 2), np.int32))

    with pytest.raises(DataError, match="negatives has 1 rows, user_ids has 4"):
        dataclasses.replace(events, negatives=one)


@pytest.mark.parametrize("item", [-1, 4])
def test_they_are_items(events, item):
    wrong = GivenNegatives(np.zeros(4, np.int32), np.array([[1, item]], np.int32))

    with pytest.raises(DataError, match=rf"negatives hold the item id {item}, expected 0\.\.3"):
        dataclasses.replace(events, negatives=wrong)
