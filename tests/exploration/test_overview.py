"""What explore says of ten rows, counted by hand."""

import dataclasses

import numpy as np
import pytest

from multitask_recommender.exploration import overview
from multitask_recommender.interactions import Feature


def test_counts_rows_users_items_and_repetitions(tiny):
    found = overview(tiny)

    assert (found.rows, found.users, found.items, found.catalogue) == (10, 4, 5, (4, 6))
    assert found.repeated_pairs == 1  # user 1 met item 1 twice
    assert found.duplicate_rows == 0  # with other stars, at another time
    assert found.density == 9 / 20
    assert found.per_user.tolist() == [4, 3, 2, 1]
    assert found.per_item.tolist() == [5, 2, 1, 1, 1]
    assert found.order == "time"


def test_a_row_that_equals_another_is_counted_where_there_is_no_clock(tiny):
    twice = tiny.take(np.array([0, 0, 0, 3, 3, 9]))
    for ordered_by_user, expected in ((False, 3), (True, 3)):
        rows = dataclasses.replace(twice, ordered_by_user=ordered_by_user)
        assert overview(rows).duplicate_rows == expected
    later = dataclasses.replace(twice, timestamps=np.arange(6))
    assert overview(later).duplicate_rows == 0
    assert overview(dataclasses.replace(later, ordered_by_user=True)).duplicate_rows == 3


def test_labels_are_counted_where_they_are_observed(tiny):
    labels = overview(tiny).labels

    assert labels["like"].observed == 8
    assert labels["like"].values == {0: 4, 1: 4}
    assert labels["like"].mean == 0.5
    assert labels["rating"].values == {1: 1, 2: 2, 3: 2, 4: 3, 5: 2}


def test_labels_together_are_shares_of_the_rows_that_have_the_first(tiny):
    share = (tiny.labels["rating"] == 4).astype(np.uint8)  # rows 3, 5, 9 of the liked 0, 3, 5, 9
    rows = dataclasses.replace(tiny, labels={"like": tiny.labels["like"], "share": share})

    found = overview(rows)

    assert found.binary == ("like", "share")
    np.testing.assert_allclose(found.together, [[1, 3 / 4], [1, 1]])


def test_features_have_their_missing_values_and_most_frequent_ones(tiny):
    watched = Feature(np.array([1, 2, np.nan, 4, 5, np.nan, 7, 8, 9, 10], np.float32))

    columns = overview(dataclasses.replace(tiny, context={"watched": watched})).columns

    assert list(columns) == ["user job", "user age", "item genres", "event watched"]
    assert columns["user job"].top == {"poet": 2, "smith": 1}
    assert columns["user job"].missing == 1 / 4
    assert columns["item genres"].top == {"art": 3, "bio": 3, "war": 2}
    assert columns["item genres"].missing == 1 / 6
    assert columns["item genres"].distinct == 3
    assert columns["event watched"].missing == pytest.approx(0.2)
    assert columns["event watched"].top["quantile 0.5"] == 6


def test_the_popularity_curve_goes_from_nothing_to_everything(tiny):
    shares, events = overview(tiny).popularity

    np.testing.assert_allclose(shares, [0, 0.2, 0.4, 0.6, 0.8, 1])
    np.testing.assert_allclose(events, [0, 0.5, 0.7, 0.8, 0.9, 1])


def test_two_rows_are_enough_and_so_is_none(tiny):
    assert overview(tiny.take(np.array([4, 7]))).labels["like"].mean is None
    assert overview(tiny.take(np.arange(0))).per_user.tolist() == []


def test_rows_that_tell_of_held_out_users_are_counted(tiny):
    parts = np.array([0, 0, 3, 3, 3, 1, 0, 0, 2, 0], np.int8)

    assert overview(dataclasses.replace(tiny, parts=parts)).fold_in == 3
    assert overview(tiny).fold_in == 0
