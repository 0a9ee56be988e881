"""Who stays, who is new and who is gone, by hand."""

import numpy as np
import pytest

from multitask_recommender.errors import DataError
from multitask_recommender.export.changes import Changes, Listed
from multitask_recommender.export.raw_ids import RawIds
from multitask_recommender.layers.item_table import MEAN, NOTHING, UNMET, of_feature

# 10, 20 and 30 are answered; 40 was removed before.
ITEMS, NUM_ITEMS = RawIds(np.array([10, 20, 30, 40])), 3
UNMET_IS = -7.0


def changes(raw_ids, removed, **features):
    listed = Listed(np.array(raw_ids), np.array(removed), features, {})
    return Changes.of(listed, ITEMS, NUM_ITEMS)


@pytest.fixture
def mixed():
    """50 is new, 10 goes, 30 is told of, 40 comes back, and there is no 99."""
    genres = np.array([[1, 2], [0, 0], [3, 0], [2, 0], [0, 0]], np.int32)
    return changes([50, 10, 30, 40, 99], [False, True, False, False, True], genres=genres)


def test_who_stays_comes_first_in_the_same_order_and_who_is_gone_last(mixed):
    assert mixed.raw_ids(ITEMS).tolist() == [20, 30, 50, 40, 10]
    assert mixed.num_items == 4
    assert (mixed.kept, mixed.added, mixed.returned, mixed.removed) == (2, 2, 1, 1)
    assert (mixed.replaced, mixed.unchanged, mixed.not_found) == (1, 0, 1)
    assert mixed.same.tolist() == [1] and mixed.told.tolist() == [2, 3, 4]


def test_a_new_row_begins_with_the_mean_of_items_that_were_met(mixed):
    rows = np.array([[9, 9], [1, 10], [2, 20], [6, 60], [4, 40]], np.float32)
    met = np.array([False, False, True, True, False])

    table = mixed.table(rows, MEAN, met, UNMET_IS)

    assert table.tolist() == [[9, 9], [2, 20], [6, 60], [4, 40], [4, 40], [1, 10]]
    nobody = np.zeros(5, bool)
    assert mixed.table(rows, MEAN, nobody, UNMET_IS)[3].tolist() == [
        3.25,
        32.5,
    ]  # then of all items
    assert mixed.table(rows, NOTHING, met, UNMET_IS)[3].tolist() == [0, 0]
    assert mixed.table(rows, UNMET, met, UNMET_IS)[3].tolist() == [-7, -7]


def test_values_are_those_of_the_file_where_it_tells_them(mixed):
    codes = np.array([[0], [1], [2], [2], [3]], np.int32)

    table = mixed.table(codes, of_feature("genres"), np.ones(5, bool), UNMET_IS)

    # The unknown, 20 as it was, 30, 50 and 40 of the file, 10 as it was.
    assert table.tolist() == [[0, 0], [2, 0], [3, 0], [1, 2], [2, 0], [1, 0]]
    prices = np.array([np.nan, 1, 2, 3, 4], np.float32)
    others = mixed.table(prices, of_feature("price"), np.ones(5, bool), UNMET_IS)
    np.testing.assert_array_equal(others, [np.nan, 2, 3, np.nan, 4, 1])


def test_numbers_and_lists_follow_their_items(mixed):
    assert mixed.numbers(np.array([1, 2, 3, 4], np.float32), -5.0).tolist() == [2, 3, -5, 4, 1]

    splits, members = mixed.lists((np.array([0, 2, 2, 5]), np.array([1, 3, 4, 2, 0], np.int32)))

    # Whoever met 10 has met it still.
    assert splits.tolist() == [0, 2, 2, 5] and members.tolist() == [5, 2, 4, 1, 0]


def test_a_name_without_features_changes_nothing():
    found = changes([20, 60], [False, False])

    assert (found.replaced, found.unchanged, found.added) == (0, 1, 1)
    assert found.same.tolist() == [1, 2, 3] and found.told.tolist() == [4]


def test_somebody_must_be_left():
    with pytest.raises(DataError, match="All 3 items would be removed: an export needs one"):
        changes([10, 20, 30], [True] * 3)

    assert changes([10, 20, 30, 60], [True, True, True, False]).num_items == 1
