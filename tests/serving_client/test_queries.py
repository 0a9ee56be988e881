"""Columns of queries, by hand."""

import pytest
from recommender_client.endpoint import Signature
from recommender_client.errors import UsageError
from recommender_client.queries import Query, columns, completed

NO_NUMBER = -1
RECOMMEND = Signature(
    name="recommend",
    inputs={
        "user_id": 9,
        "history": 7,
        "history_length": 3,
        "k": 3,
        "exclude_ids": 7,
        "exclude_seen": 10,
        "weight_like": 1,
        "hour": 1,
    },
    outputs=("item_ids", "scores"),
    defaults={
        "user_id": [-1],
        "history": [[]],
        "history_length": [-1],
        "k": [10],
        "exclude_ids": [[]],
        "exclude_seen": [True],
        "weight_like": [0.5],
        "hour": [12.0],
    },
)


def _columns(*queries: Query, signature: Signature = RECOMMEND):
    return columns([query.row() for query in queries], signature)


def test_what_a_batch_leaves_out_has_a_row_for_each_query():
    assert _columns(Query(user_id=7), Query(user_id=42)) == {
        "user_id": [7, 42],
        "history": [[""], [""]],
        "history_length": [0, 0],
        "k": [10, 10],
        "exclude_ids": [[""], [""]],
        "exclude_seen": [True, True],
        "weight_like": [0.5, 0.5],
        "hour": [12.0, 12.0],
    }


def test_lists_of_two_lengths_are_filled_up():
    filled = _columns(
        Query(history=["ant", "bee", "cat"], exclude_ids=["rat"]),
        Query(user_id=7, history=["cat"], k=2, weights={"like": 0.0}, features={"hour": 3.0}),
    )

    assert filled == {
        "user_id": [-1, 7],
        "history": [["ant", "bee", "cat"], ["cat", "", ""]],
        "history_length": [3, 1],
        "k": [10, 2],
        # First what excludes nothing: a server fills up by the first value of all.
        "exclude_ids": [["", "rat"], ["", ""]],
        "exclude_seen": [True, True],
        "weight_like": [0.5, 0.0],
        "hour": [12.0, 3.0],
    }


def test_ids_that_are_numbers_are_filled_up_by_one_that_is_no_items():
    numbers = Signature("recommend", {"history": 9, "exclude_ids": 9}, (), {})

    filled = _columns(Query(history=[4, 5]), Query(exclude_ids=[9]), signature=numbers)

    assert filled == {
        "history": [[4, 5], [NO_NUMBER, NO_NUMBER]],
        "exclude_ids": [[NO_NUMBER, NO_NUMBER], [NO_NUMBER, 9]],
    }


def test_candidates_are_filled_up_by_their_last():
    rank = Signature("rank", {"item_ids": 7}, (), {})

    filled = columns([{"item_ids": ["a", "b", "c"]}, {"item_ids": ["d"]}], rank)

    assert filled == {"item_ids": [["a", "b", "c"], ["d", "d", "d"]]}


def test_several_words_of_a_feature():
    signature = Signature("rank", {"tags": 7}, (), {"tags": [[]]})

    assert columns([{"tags": ["a", "b"]}, {"tags": None}], signature) == {
        "tags": [["a", "b"], ["", ""]]
    }
    assert Query(features={"tags": ("a", "b")}).row()["tags"] == ["a", "b"]


def test_an_empty_default_is_filled_up():
    """The server cannot fill up an empty tensor."""
    signature = Signature("rank", {"tags": 7}, (), {"tags": [[]]})

    assert columns([{}, {}], signature) == {"tags": [[""], [""]]}


def test_columns_are_completed():
    given = {"user_id": [7, 42], "k": [3], "exclude_ids": [["ant", "bee"]]}

    assert completed(given, RECOMMEND) == {
        "user_id": [7, 42],
        "history": [[""], [""]],
        "history_length": [-1, -1],
        "k": [3, 3],
        "exclude_ids": [["ant", "bee"], ["ant", "bee"]],
        "exclude_seen": [True, True],
        "weight_like": [0.5, 0.5],
        "hour": [12.0, 12.0],
    }


def test_columns_that_are_none_are_the_server_s_to_refuse():
    assert completed({"k": 3, "x": [[]]}, Signature("x", {"k": 3}, (), {})) == {"k": 3, "x": [[]]}


def test_no_default_is_known():
    bare = Signature("recommend", {"user_id": 9, "k": 3, "exclude_seen": 10}, (), {})

    assert _columns(Query(user_id=7), Query(user_id=8), signature=bare) == {"user_id": [7, 8]}
    with pytest.raises(UsageError, match="recommend: k has no default. Give it in every query."):
        _columns(Query(k=3), Query(), signature=bare)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (Query(weights={"share": 1.0}), "recommend takes no weight_share. Its inputs: exclude_ids"),
        (Query(features={"our": 3.0}), "recommend takes no our. Its inputs: .*hour"),
    ],
)
def test_an_input_that_the_signature_has_not(query, told):
    with pytest.raises(UsageError, match=told):
        _columns(query)


def test_a_signature_without_lists_is_asked_without_them():
    embed = Signature("embed_query", {"user_id": 9}, (), {"user_id": [-1]})

    assert _columns(Query(user_id=3), signature=embed) == {"user_id": [3]}
    with pytest.raises(UsageError, match="embed_query takes no exclude_ids"):
        _columns(Query(exclude_ids=["a"]), signature=embed)


def test_a_list_for_an_input_of_one_value():
    with pytest.raises(UsageError, match="hour is not of ids. Give one value a query."):
        _columns(Query(features={"hour": [1.0]}))


def test_a_batch_of_none():
    with pytest.raises(UsageError, match="recommend: a batch of no queries"):
        _columns()
