"""Shares of rows of which something is unknown."""

import dataclasses

import numpy as np
import pytest

from multitask_recommender.interactions import Entities, Feature, Interactions
from multitask_recommender.splits import Settings, split
from multitask_recommender.splits.coverage import unknown_rates


@pytest.fixture
def data():
    """Four rows to learn from, two held out; user 3 and item 2 are met in the last row only."""
    interactions = Interactions(
        user_ids=np.array([1, 1, 2, 2, 1, 3], np.int32),
        item_ids=np.array([1, 1, 1, 1, 1, 2], np.int32),
        users=Entities(
            np.array(["ann", "bob", "eve"]),
            0,
            {
                "job": Feature(np.array([0, 0, 2, 1]), ("poet", "smith")),  # ann's is missing
                "age": Feature(np.array([np.nan, 30, 40, 50], np.float32)),
            },
        ),
        items=Entities(np.array([10, 20]), 0),
        context={
            "hour": Feature(np.array([1, 0, 3, 1, 2, 3], np.int32), ("a", "b", "c")),
            "tags": Feature(
                np.array([[1, 0], [2, 1], [0, 0], [1, 2], [0, 0], [3, 1]]), tuple("xyz")
            ),
            "price": Feature(np.array([1, 2, 3, 4, np.nan, 6], np.float32)),
        },
        parts=np.array([0, 0, 0, 0, 2, 2], np.int8),
    )
    return split(interactions, Settings(name="given", validation=0))


def test_rates_are_of_the_rows_of_each_part(data):
    rates = unknown_rates(
        data, {"user": ["job", "age", "history"], "context": ["hour", "tags", "price"]}
    )

    assert rates == {
        "user_id": {"train": 0, "test": 0.5},
        "item_id": {"train": 0, "test": 0.5},
        "age": {"train": 0, "test": 0.5},  # of a user who is unknown, whatever the table says
        "job": {"train": 0.5, "test": 1.0},
        "hour": {"train": 0.25, "test": 0.5},  # code 2 is in no training row
        "price": {"train": 0, "test": 0.5},
        "tags": {"train": 0.25, "test": 0.5},  # one code that is known is enough
    }


def test_only_what_is_asked_for_is_told(data):
    assert list(unknown_rates(data, {"context": ["hour"]})) == ["user_id", "item_id", "hour"]


def test_a_code_of_test_alone_tells_nothing(data):
    hours = data.test.context["hour"]
    alone = dataclasses.replace(hours, values=np.array([2, 2], np.int32))
    test = dataclasses.replace(data.test, context={**data.test.context, "hour": alone})

    rates = unknown_rates(dataclasses.replace(data, test=test), {"context": ["hour"]})

    assert rates["hour"] == {"train": 0.25, "test": 1.0}
