"""Interactions: what is checked at the border, and how tables and events are taken apart."""

import dataclasses

import numpy as np
import pytest

from multitask_recommender.errors import DataError
from multitask_recommender.interactions import Entities, Feature, IdWords, Interactions


@pytest.fixture
def events() -> Interactions:
    """Two users, three items, of which two are known; four events."""
    price = Feature(np.array([0.0, 1.5, 2.5, 3.5], np.float32))
    tags = Feature(np.array([[0, 0], [1, 2], [2, 0], [0, 0]], np.int32), ("new", "red"))
    return Interactions(
        user_ids=np.array([1, 2, 1, 2], np.int32),
        item_ids=np.array([1, 1, 3, 2], np.int32),
        users=Entities(np.array(["ann", "bob"]), 2),
        items=Entities(np.array([70, 80, 90]), 2, {"price": price, "tags": tags}),
        labels={"click": np.array([1, 0, np.nan, 1], np.float32)},
        observed={"click": np.array([True, True, False, True])},
        timestamps=np.array([5, 6, 7, 8]),
    )


def test_an_unobserved_label_may_be_anything_an_observed_one_must_be_finite(events):
    assert events.is_observed("click").tolist() == [True, True, False, True]

    with pytest.raises(DataError, match="Label click is nan in row 2: use a finite number"):
        dataclasses.replace(events, observed={})


def test_a_label_without_a_mask_is_observed_everywhere(events):
    whole = dataclasses.replace(events, labels={"like": np.zeros(4, np.float32)}, observed={})

    assert whole.is_observed("like").all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"item_ids": np.array([1, 4, 1, 1])}, r"item_ids is 4 in row 1, expected 1..3"),
        ({"user_ids": np.array([1, 1, 1, 0])}, r"user_ids is 0 in row 3, expected 1..2"),
        ({"timestamps": np.array([1])}, "timestamps has 1 rows, user_ids has 4"),
        ({"labels": {"like": np.ones(3)}, "observed": {}}, "like has 3 rows, user_ids has 4"),
        ({"observed": {"like": np.ones(4, bool)}}, r"observed names \['like'\], which are not lab"),
        (
            {"parts": np.array([0, 1, 3, 4])},
            r"parts must be 0, 1, 2 or 3 \(train.*, test, fold_in\)",
        ),
    ],
)
def test_columns_that_do_not_fit_are_refused(events, change, message):
    with pytest.raises(DataError, match=message):
        dataclasses.replace(events, **change)


def test_tables_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match="num_known is 3 of 2 rows"):
        Entities(np.array([1, 2]), 3)
    with pytest.raises(DataError, match=r"Feature age has 2 rows, expected 3 \(one for the unkn"):
        Entities(np.array([1, 2]), 2, {"age": Feature(np.zeros(2, np.float32))})


def test_the_vocabulary_is_what_is_known(events):
    assert (len(events), events.num_users, events.num_items) == (4, 2, 2)
    assert events.items.known(events.item_ids).tolist() == [1, 1, 0, 2]


@pytest.mark.parametrize("rows", [np.array([0, 2]), np.array([True, False, True, False])])
def test_taking_rows_takes_them_from_every_column(events, rows):
    some = dataclasses.replace(events, parts=np.array([0, 1, 2, 0], np.int8)).take(rows)

    assert some.item_ids.tolist() == [1, 3]
    assert some.observed["click"].tolist() == [True, False]
    assert some.timestamps.tolist() == [5, 7]
    assert some.parts.tolist() == [0, 2]
    assert some.items is events.items


def test_taken_rows_have_no_features_of_the_log_to_come(events):
    """Their function takes a mask of all rows, so it would be given a wrong one."""
    some = dataclasses.replace(events, log_features=lambda learnt: ({}, {}, {})).take(np.array([0]))

    assert some.log_features is None


def test_reordered_tables_keep_the_unknown_in_front(events):
    items = events.items.take(np.array([3, 1, 2]), num_known=1)

    assert items.raw_ids.tolist() == [90, 70, 80]
    assert items.num_known == 1
    assert items.features["price"].values.tolist() == [0.0, 3.5, 1.5, 2.5]
    assert items.features["tags"].values.tolist() == [[0, 0], [0, 0], [1, 2], [2, 0]]
    assert items.features["tags"].vocabulary == ("new", "red")


def test_a_feature_with_a_vocabulary_is_categorical(events):
    assert events.items.features["tags"].is_categorical
    assert not events.items.features["price"].is_categorical


@pytest.mark.parametrize("name", ["user_id", "item_id", "step_seed", "retrieval", "loss"])
def test_a_label_is_not_called_what_means_something_else(name):
    """Under `item_id`, it would have taken the place of the items in every batch."""
    entities = Entities(np.array([1]), 1)
    ids = np.array([1], np.int32)

    with pytest.raises(DataError, match=f"A label is called {name}, which means something else"):
        Interactions(ids, ids, entities, entities, {name: np.zeros(1, np.float32)})


def test_ids_are_words_only_when_asked_for():
    words = IdWords(np.array([70, 80, 90]))

    assert (len(words), words[1], words[-1], words[:2]) == (3, "80", "90", ("70", "80"))
    assert list(words) == ["70", "80", "90"]
    assert Feature(np.array([0, 3, 1]), words, of_items=True).is_categorical


def test_codes_that_are_item_ids_follow_them_and_others_stay(events):
    """Items 1 2 3 become 2 3 1, and the last of them is unknown by now."""
    items = events.items.take(np.array([3, 1, 2]), num_known=2)  # raw ids 90 70 80
    last = Feature(np.array([0, 3, 2]), IdWords(events.items.raw_ids), of_items=True)

    found = last.recoded(np.array([0, 2, 3, 1]), items)

    assert found.values.tolist() == [0, 1, 0]
    assert list(found.vocabulary) == ["90", "70"]
    tags = events.items.features["tags"]
    assert tags.recoded(np.array([0, 2, 3, 1]), items) is tags
