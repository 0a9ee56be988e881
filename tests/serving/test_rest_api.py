"""REST on a real socket: TensorFlow Serving's paths, forms and codes."""

import json
import re
import socket
import time

import numpy as np
import pytest

from multitask_recommender.serving.options import Limits, find_export


def test_rows_and_columns(strings):
    """By hand: ann's scores are .9 .1 .8 .2 .5; with `like` alone, the order is d a e c b."""
    columns = strings.post({"inputs": {"user_id": ["ann", "zoë 🎬"], "k": [2, 1]}})
    rows = strings.post(
        {
            "signature_name": "recommend",
            "instances": [
                {"user_id": "ann", "weight_retrieval": 0, "weight_like": 1, "k": 2},
                {"user_id": "x", "weight_retrieval": 1, "weight_like": 0, "k": 1},
            ],
        }
    )

    assert columns[0] == rows[0] == 200
    outputs = columns[1]["outputs"]
    assert outputs["item_ids"] == [["a", "c"], ["b", ""]]
    assert outputs["num_items"] == [2, 1]
    np.testing.assert_allclose(outputs["scores"], [[0.9, 0.8], [0.7, 0.0]], rtol=1e-6)
    first, second = rows[1]["predictions"]
    assert (first["item_ids"], first["source"]) == (["d", "a"], "user")
    assert (second["item_ids"], second["source"]) == (["e", ""], "popularity")
    assert first["rating"] == [2.0, 5.0]


def test_integer_ids_of_any_size(integers):
    found = integers.columns("recommend", user_id=[2**53 + 1], exclude_ids=[[20]], k=[2])

    assert found["item_ids"] == [[40, 50]]
    assert found["source"] == ["user"]


def test_what_was_seen_is_left_out_or_not(strings):
    history = [["e", "d"]]

    assert strings.columns("recommend", history=history, k=[2])["item_ids"] == [["c", "b"]]
    found = strings.columns("recommend", history=history, exclude_seen=[False], k=[2])
    assert found["item_ids"] == [["e", "d"]]


def test_a_single_input_and_a_single_output_have_no_names(strings):
    assert strings.post({"signature_name": "echo", "instances": ["é", {"b64": "/w=="}]}) == (
        200,
        {"predictions": ["é", {"b64": "/w=="}]},
    )
    assert strings.post({"signature_name": "echo_bytes", "inputs": ["a"]}) == (
        200,
        {"outputs": [{"b64": "YQ=="}]},
    )


def test_versions_in_the_path(strings):
    assert strings.post({"inputs": {}}, "/versions/1")[0] == 200
    status, answer = strings.post({"inputs": {}}, "/versions/2")
    assert (status, answer["error"]) == (
        404,
        "Version 2 of model 'strings' is not served. Served: 1.",
    )
    for digits in (str(2**63), "9" * 5_000):  # Python reads no integer of so many digits
        status, answer = strings.post({"inputs": {}}, f"/versions/{digits}")
        assert status == 400
        assert re.fullmatch(r"Version '9\d+'?(\.\.\.)? is no 64-bit integer\.", answer["error"])
    status, answer = strings.post({"inputs": {}}, "/labels/stable")
    assert (status, answer["error"][:26]) == (400, "There is no label 'stable'")


def test_labels_in_the_path(serve, exports):
    server = serve(exports["strings"], labels={"stable": 1})

    assert server.post({"inputs": {}}, "/labels/stable")[0] == 200
    assert server.get("/labels/stable")[1]["model_version_status"][0]["version"] == "1"


def test_the_status_is_as_documented(strings):
    expected = {
        "model_version_status": [
            {
                "version": "1",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }

    assert strings.get() == strings.get("/versions/1") == (200, expected)
    assert strings.get("/versions/3")[0] == 404


def test_the_metadata_is_as_documented(strings):
    status, answer = strings.get("/versions/1/metadata")

    assert status == 200
    assert answer["model_spec"] == {"name": "strings", "signature_name": "", "version": "1"}
    k = answer["metadata"]["signature_def"]["signature_def"]["recommend"]
    assert k["inputs"]["k"]["dtype"] == "DT_INT32"
    assert k["inputs"]["k"]["tensor_shape"]["dim"] == [{"size": "-1", "name": ""}]
    assert k["defaults"]["k"]["int_val"] == [3]
    assert k["method_name"] == "tensorflow/serving/predict"
    assert strings.get("/metadata") == (status, answer)


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/v1/models/x", 404, "There is no model 'x' here. There is 'strings'."),
        ("GET", "/v1/models/%00", 404, r"There is no model '\x00' here"),
        ("POST", "/v1/models/x:predict", 404, "There is no model 'x' here."),
        ("GET", "/v1/models/strings:predict", 400, "Malformed request: GET"),
        ("POST", "/v1/models/strings", 400, "Malformed request: POST"),
        ("PUT", "/v1/models/strings:predict", 400, "Malformed request: PUT"),
        ("GET", "/v1/models/strings/versions/x", 400, "Malformed request: GET"),
        ("GET", "/v1/models", 400, "Malformed request: GET"),
        ("POST", "/v1/models/strings:classify", 501, "There is no classify here: use predict."),
        ("GET", "/v2", 404, "There is nothing at '/v2'."),
        ("GET", "/../../etc/passwd", 404, "There is nothing at "),
        ("DELETE", "/", 404, "There is nothing at '/'."),
    ],
)
def test_other_paths(strings, method, path, status, message):
    found, body = strings.send(method, path, b'{"inputs": {}}', content_type="application/json")

    assert found == status
    assert json.loads(body)["error"].startswith(message)


def test_paths_are_of_any_case_as_in_tensorflow_serving(strings):
    assert strings.send("GET", "/V1/Models/strings")[0] == 200


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("application/x-www-form-urlencoded", 200),  # curl -d, as in TF Serving's documentation
        ("text/plain", 415),
        ("application/x-protobuf", 415),
        ("multipart/form-data; boundary=x", 415),
    ],
)
def test_content_types(strings, content_type, status):
    path = "/v1/models/strings:predict"

    found, body = strings.send("POST", path, b'{"inputs": {}}', content_type=content_type)

    assert found == status
    if status != 200:
        told = json.loads(body)["error"]
        assert told == f"The content type is {content_type!r}, expected application/json."


def test_a_content_type_is_not_needed(strings):
    with socket.create_connection(("127.0.0.1", strings.rest_port)) as connection:
        connection.sendall(
            b"POST /v1/models/strings:predict HTTP/1.1\r\nHost: x\r\nContent-Length: 14\r\n"
            b'Connection: close\r\n\r\n{"inputs": {}}'
        )
        assert connection.makefile("rb").readline().startswith(b"HTTP/1.1 200")


def test_a_body_sent_in_chunks_is_held_to_the_limit_too(strings):
    parts = (b"x" * 2**20 for _ in range(6))

    status, body = strings.send(
        "POST", "/v1/models/strings:predict", parts, content_type="application/json"
    )

    assert status == 413
    assert json.loads(body)["error"] == "The body is larger than 4 MiB (--max-body)."


def test_more_requests_than_places_are_refused_and_the_others_answered(serve, exports):
    server = serve(exports["strings"], Limits(requests=1))

    with server.busy() as statuses:
        status, answer = server.post({"inputs": {}})

    assert status == 429
    assert answer["error"].startswith("As many requests run as may at once: 1 (--max-requests).")
    assert statuses == [200]
    assert server.post({"inputs": {}})[0] == 200


def test_a_request_that_takes_too_long(serve, exports):
    server = serve(exports["strings"], Limits(seconds=0.5, requests=1))

    status, answer = server.post({"signature_name": "spend", "inputs": [1.5]})

    assert (status, answer["error"]) == (504, "No answer within 0.5 s (--timeout).")
    assert server.post({"inputs": {}})[0] == 429  # it still runs, and holds its place
    end = time.monotonic() + 20
    while server.post({"inputs": {}})[0] != 200:
        assert time.monotonic() < end


def test_a_client_that_hangs_up_does_no_harm(strings):
    for sent in (b"POST /v1/models/strings:predict HTTP/1.1\r\nContent-Length: 99\r\n\r\n{", b"\0"):
        with socket.create_connection(("127.0.0.1", strings.rest_port)) as connection:
            connection.sendall(sent)

    assert strings.post({"inputs": {}})[0] == 200


def test_a_name_with_spaces_and_accents(serve, exports):
    server = serve(exports["strings"], export=find_export(exports["strings"], "é x"))

    assert server.send("GET", "/v1/models/%C3%A9%20x")[0] == 200
