"""Requests that are wrong: a code and a sentence, and the next one is fine."""

import json

import numpy as np
import pytest

from tests.serving.calls import predict_request

GOOD = {"inputs": {"user_id": ["ann"], "k": [1]}}


def columns(signature="recommend", **inputs):
    return {"signature_name": signature, "inputs": inputs}


def rows(*instances):
    return {"instances": list(instances)}


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (columns("recomend"), "no signature 'recomend'. Did you mean 'recommend'"),
        (columns("__saved_model_init_op"), "no signature '__saved_model_init_op'"),
        (columns(hystory=[["a"]]), "no input 'hystory'. Did you mean 'history'"),
        (columns("rank", user_id=["ann"]), "needs item_ids: not given, and without a default"),
        (columns(k=["3"]), "expected int32, found the string '3'"),
        (columns(k=[3.0]), "expected int32, found the number 3.0"),
        (columns(k=[10**30]), "beyond -2,147,483,648 .. 2,147,483,647"),
        (columns(k=3), "expected the shape [any], found []"),
        (columns(k=[[3]]), "expected the shape [any], found [1, 1]"),
        (columns(k=[0]), "k must be at least 1"),
        (columns(k=[-1]), "k must be at least 1"),
        (columns(k=[6]), "k is larger than the catalogue"),
        (columns(k=[1_001]), "found 1,001, expected at most 1,000 (--max-k)"),
        (columns(user_id=[]), "the batch is empty, expected at least one row"),
        (
            columns(user_id=["a", "b"], k=[1, 2, 3]),
            "differ in their number of rows: k 3, user_id 2",
        ),
        (columns(user_id=["a"] * 1_025), "found 1,025 rows, expected at most 1,024 (--max-batch)"),
        (columns(user_id=[None]), "expected string, found null"),
        (columns(user_id=[7]), "expected string, found 7"),
        (columns(user_id=["\udc80"]), "half of a surrogate pair"),
        (columns(history=[["a"], ["b", "c"]]), "the lists are ragged"),
        (columns(history=["a"]), "expected the shape [any, any], found [1]"),
        (columns(exclude_ids=[["x"] * 100_000]), "found 100,000 values in a row, expected at most"),
        (columns(weight_like=[float("nan")]), "weight_like : Tensor had NaN values"),
        (columns(weight_like=[float("inf")]), "weight_like : Tensor had Inf values"),
        (columns(weight_like=[1e39]), "beyond 3.4e+38"),
        (columns(exclude_seen=[0]), "expected bool, found 0"),
        (rows(), "'instances' is a list of 0"),
        (rows({"k": 1}, {"k": 1, "user_id": "a"}), "differs from row 0 in its inputs"),
        (rows({"history": ["a"]}, {"history": []}), "the lists are ragged"),
        (rows({}, {}), "Row 0 of 'instances' names no input"),
        ({"inputs": {}, "instances": [{}]}, "both of 'instances' and 'inputs'"),
        ({}, "neither of 'instances' and 'inputs'"),
        ([], "a list of 0, expected a JSON object"),
        (b"", "The body is no JSON"),
        (b"[" * 1_000_000, "nested too deeply"),
        (b'{"inputs": {"k": [' + b"9" * 100_000 + b"]}}", "The body is no JSON: Exceeds the limit"),
        (b'{"inputs": {"user_id": ["\xff"]}}', "The body is not UTF-8"),
    ],
)
def test_over_rest(strings, request_, message):
    status, answer = strings.post(request_)

    assert status == 400, answer
    assert message in answer["error"]
    assert strings.post(GOOD)[1]["outputs"]["item_ids"] == [["a"]]


def test_a_body_of_ten_megabytes(strings):
    status, answer = strings.post(b'{"inputs": ["' + b"x" * 10_000_000 + b'"]}')

    assert (status, answer["error"]) == (413, "The body is larger than 4 MiB (--max-body).")
    assert strings.post(GOOD)[0] == 200


@pytest.mark.parametrize("user", ["zoë 🎬", "", "\0", "a" * 100_000, "日本", "e\u0301", "\u202e"])
def test_ids_of_any_text_are_ids(strings, user):
    source = "user" if user == "zoë 🎬" else "popularity"

    assert strings.columns("recommend", user_id=[user])["source"] == [source]
    by_grpc = strings.call(predict_request("strings", user_id=np.array([user.encode()], object)))
    assert by_grpc["source"].tolist() == [source.encode()]


def test_bytes_that_are_no_text_are_ids_too(strings):
    assert strings.columns("recommend", user_id=[{"b64": "/w=="}])["source"] == ["popularity"]


def test_many_ids_to_leave_out_within_the_limit(strings):
    many = [["a", *(f"x{n}" for n in range(9_999))]]

    assert strings.columns("recommend", exclude_ids=many, k=[1])["item_ids"] == [["e"]]


def test_errors_are_json_whatever_was_asked(strings):
    path = "/v1/models/a%22%5C%0A%FF:predict"

    status, body = strings.send("POST", path, b'{"inputs": {}}', content_type="application/json")

    assert status == 404
    assert json.loads(body)["error"].startswith("There is no model ")
