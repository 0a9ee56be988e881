"""The client against the toy export, over either transport; expected values by hand.

The stub refuses inputs that differ in their first dimension, so every answered batch shows that
all of them were sent.
"""

import math

import pytest
import tensorflow as tf
from client import Client, Model, Query, ServingError, UsageError

from .toy_server import Refusal


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def _ids(answer) -> list:
    return [item.id for item in answer.items]


def test_a_known_user(client):
    # User 7 is [1, 0]: scores are the first coordinates and the popularity; noon adds 0.5.
    answer = client.recommend(Query(user_id=7, k=2, weights={"like": 0.0}))

    assert answer.source == "user"
    assert _ids(answer) == ["ant", "bee"]
    assert [item.score for item in answer.items] == pytest.approx([2.3, 1.1])
    likes = [item.predictions["like"] for item in answer.items]
    assert likes == pytest.approx([_sigmoid(2.5), _sigmoid(1.5)])


def test_a_batch_of_unlike_queries_is_answered_as_one_by_one(client, stub):
    queries = [
        Query(user_id=42, k=5),  # who met bee
        Query(history=["cat", "élan"], k=1, exclude_ids=["cat", "ant"], features={"hour": 0.0}),
        Query(k=2, weights={"like": 1.0, "retrieval": 0.0}),
    ]

    together = client.recommend_batch(queries)

    assert [_ids(each) for each in together] == [
        ["ant", "cat", "élan", "rat"],
        ["bee"],
        ["ant", "bee"],  # all alike to nobody: in the catalogue's order
    ]
    assert [each.source for each in together] == ["user", "history", "popularity"]
    for query, answer in zip(queries, together, strict=True):
        alone = client.recommend(query)
        assert _ids(alone) == _ids(answer)
        assert [item.score for item in alone.items] == pytest.approx(
            [item.score for item in answer.items]
        )
    assert len(stub.requests) == 4


def test_what_was_seen_comes_back_on_demand(client):
    assert "bee" in _ids(client.recommend(Query(user_id=42, k=4, exclude_seen=False)))


def test_an_exclusion_is_its_own_query_s_when_the_server_fills_up(client, stub):
    """TensorFlow Serving joins requests and fills up rows by a tensor's first value."""
    client.recommend_batch([Query(user_id=7, exclude_ids=["ant"]), Query(user_id=7)])

    sent = tf.make_ndarray(stub.requests[-1].inputs["exclude_ids"])

    assert sent[0, 0] == b""


def test_given_items_are_ranked_in_their_order(client):
    seven, nobody = client.rank_batch(
        [Query(user_id=7, features={"hour": 0.0}), Query()], [["cat", "ant", "ant"], ["bee"]]
    )

    likes = [(item.id, item.predictions["like"]) for item in seven.items]
    assert likes == [
        ("cat", pytest.approx(0.5)),
        ("ant", pytest.approx(_sigmoid(2))),
        ("ant", pytest.approx(_sigmoid(2))),
    ]
    assert _ids(nobody) == ["bee"]
    assert client.rank(Query(user_id=7), ["cat"]).items[0].score == pytest.approx(2 * _sigmoid(0.5))


def test_similar_items(client):
    assert _ids(client.similar("bee", k=2)) == ["ant", "cat"]  # products 2 and 1.5
    assert [_ids(each) for each in client.similar_batch(["bee", "rat"], 2, ["ant"])] == [
        ["cat", "élan"],
        ["élan", "cat"],  # products -0.75 and -1.5
    ]
    assert client.similar("bee").source is None


def test_vectors_of_queries(client):
    user, history = client.embed_batch([Query(user_id=11), Query(history=["ant", "bee"])])

    assert (user.vector, user.source) == ((0.0, 1.0), "user")
    assert (history.vector, history.source) == ((1.5, 0.5), "history")
    assert client.embed(Query()).source == "popularity"


def test_columns_that_are_left_out_have_a_row_for_each_query(client, stub):
    outputs = client.predict("recommend", {"user_id": [7, 42], "exclude_ids": [["ant"]]})

    assert outputs["source"] == ["user", "user"]
    assert list(tf.make_ndarray(stub.requests[-1].inputs["k"])) == [3, 3]


def test_the_interface_is_asked_for_once_and_again_after_a_refusal(client, endpoint, monkeypatch):
    asked = []
    answer = endpoint.interface
    monkeypatch.setattr(endpoint, "interface", lambda *args: asked.append(1) or answer(*args))

    client.recommend(Query(user_id=7))
    client.recommend(Query(user_id=7))
    assert len(asked) == 1
    with pytest.raises(ServingError, match="(?s)INVALID_ARGUMENT: .*k must be at least 1"):
        client.recommend(Query(user_id=7, k=0))
    client.recommend(Query(user_id=7))
    assert len(asked) == 2


def test_what_is_wrong_is_asked_once(client, stub):
    with pytest.raises(ServingError, match="k must be at most 5, the catalogue") as raised:
        client.recommend(Query(user_id=7, k=6))

    assert raised.value.code == "INVALID_ARGUMENT"
    assert len(stub.requests) == 1


@pytest.mark.parametrize("code", ["UNAVAILABLE", "RESOURCE_EXHAUSTED"])
def test_a_busy_server_is_asked_again(client, stub, code):
    stub.script[:] = [Refusal(code, "the queue is full")] * 2

    assert _ids(client.recommend(Query(user_id=7, k=1))) == ["ant"]
    assert len(stub.requests) == 3


def test_a_server_that_stays_busy(client, stub):
    stub.script[:] = [Refusal("UNAVAILABLE", "the queue is full")] * 3

    told = r"toy.*: UNAVAILABLE: the queue is full \(tried 3 times\)"
    with pytest.raises(ServingError, match=told) as raised:
        client.recommend(Query(user_id=7))

    assert raised.value.is_transient


def test_a_slow_server_is_left_in_time(stub, endpoint):
    client = Client(endpoint, Model("toy"), timeout_s=0.25)
    client.interface()
    stub.script[:] = [0.6]

    with pytest.raises(ServingError) as raised:
        client.recommend(Query(user_id=7))

    assert raised.value.code == "DEADLINE_EXCEEDED"
    assert len(stub.requests) == 1


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (Model("tou"), "NOT_FOUND: Servable not found for request: tou"),
        (Model("toy", version=4), "NOT_FOUND: Servable not found for request: toy"),
        (Model("toy", label="canary"), "Unrecognized servable version label: canary"),
    ],
)
def test_a_model_that_is_not_served(stub, endpoint, model, told):
    with pytest.raises(ServingError, match=told):
        Client(endpoint, model).recommend(Query(user_id=7))


@pytest.mark.parametrize("model", [Model("toy", version=3), Model("toy", label="stable")])
def test_a_version_by_its_number_or_label(stub, endpoint, model):
    assert Client(endpoint, model).interface().version == 3


def test_a_signature_that_the_model_has_not(client):
    told = "toy has no signature retrieve. It has: .*embed_query, rank, recommend"
    with pytest.raises(UsageError, match=told):
        client.retrieve(Query(user_id=7))


def test_items_for_each_query(client):
    told = r"rank: 2 queries and lists of \[1, 0\] items. Give each query"
    with pytest.raises(UsageError, match=told):
        client.rank_batch([Query(), Query()], [["ant"], []])
