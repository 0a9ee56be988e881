"""Golden requests of the toy against its server, and against others."""

import dataclasses

import pytest
from client import Client, Model, Query
from recommender_client.golden import Drift, Golden, Request
from recommender_client.queries import columns
from recommender_client.replay import drift_table, replay

from .toy_server import Refusal

TOLERANCE = 1e-5


@pytest.fixture
def golden(client, stub) -> Golden:
    """What the toy answers a known user, nobody, and about one item."""
    recommend = columns(
        [Query(user_id=42, k=3).row(), Query(k=3).row()], client.signature("recommend")
    )
    asked = [("recommend", recommend), ("similar_items", {"item_id": ["bee"], "k": [2]})]
    requests = tuple(
        Request(signature, inputs, client.predict(signature, inputs)) for signature, inputs in asked
    )
    stub.requests.clear()
    return Golden("toy", 3, {"users": "ab" * 32, "items": "cd" * 32}, TOLERANCE, requests)


def _changed(golden: Golden, output: str, change) -> Golden:
    first = golden.requests[0]
    outputs = {**first.outputs, output: change(first.outputs[output])}
    return dataclasses.replace(
        golden, requests=(dataclasses.replace(first, outputs=outputs), *golden.requests[1:])
    )


def test_the_same_export_has_not_drifted(client, golden):
    replayed = replay(client, golden, TOLERANCE)

    assert replayed.faults == ()
    assert replayed.drifts["recommend", "scores"] == Drift()
    assert replayed.drifts["similar_items", "item_ids"] == Drift()


def test_drift_beyond_the_tolerance(client, golden):
    other = _changed(golden, "like", lambda rows: [[value + 1e-3 for value in row] for row in rows])

    assert replay(client, other, 1e-2).faults == ()
    [fault] = replay(client, other, TOLERANCE).faults
    assert fault == "the largest difference is 0.001; at most 1e-05 is right."


def test_another_vocabulary(client, golden):
    other = _changed(golden, "item_ids", lambda rows: [["gnu", *row[1:]] for row in rows])

    [fault, *_] = replay(client, other, TOLERANCE).faults

    assert fault.startswith("2 ids or words differ: ")
    assert fault.endswith(
        "answers from another vocabulary, other data or another model than "
        "toy, vocabulary of items cdcdcdcdcdcd and users abababababab."
    )


def test_a_user_that_the_server_does_not_know(client, golden):
    other = _changed(golden, "source", lambda row: ["user", "user"])

    assert "1 ids or words differ" in replay(client, other, TOLERANCE).faults[0]


def test_ids_of_another_kind(client, golden):
    request = Request("similar_items", {"item_id": [17]}, {})
    replayed = replay(client, dataclasses.replace(golden, requests=(request,)), TOLERANCE)

    [fault] = replayed.faults
    assert fault.startswith("request 0: ")


def test_another_version_is_not_asked(client, golden, stub):
    replayed = replay(client, dataclasses.replace(golden, version=4), TOLERANCE)

    [fault] = replayed.faults
    assert "answers for toy with version 3; the golden requests are of version 4" in fault
    assert "Ask for --version 4, or replay the golden requests of version 3." in fault
    assert (replayed.drifts, stub.requests) == ({}, [])


def test_a_request_that_fails_is_named(endpoint, golden, stub):
    stub.script[:] = [Refusal("INVALID_ARGUMENT", "no")]

    replayed = replay(Client(endpoint, Model("toy")), golden, TOLERANCE)

    [fault] = replayed.faults
    assert fault.startswith("request 0: ") and fault.endswith("INVALID_ARGUMENT: no")
    assert set(replayed.drifts) == {
        ("similar_items", name) for name in ("item_ids", "num_items", "scores")
    }


def test_an_output_that_is_missing(client, golden):
    first = golden.requests[1]
    outputs = {**first.outputs, "share": [[0.5, 0.5]]}
    other = dataclasses.replace(golden, requests=(dataclasses.replace(first, outputs=outputs),))

    [fault] = replay(client, other, TOLERANCE).faults

    assert fault == (
        "the largest difference is an output of another shape, or none; at most 1e-05 is right."
    )


def test_the_table():
    drifts = {("recommend", "scores"): Drift(2.5e-7), ("rank", "item_ids"): Drift(0.0, 3)}

    assert drift_table(drifts).splitlines() == [
        "signature  output    largest difference  ids that differ",
        "rank       item_ids                   0                3",
        "recommend  scores               2.5e-07                0",
    ]
