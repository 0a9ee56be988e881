"""JSON in rows and columns, as TensorFlow Serving's documentation has it."""

import json

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.serving import json_form
from multitask_recommender.serving.faults import Fault, Kind
from multitask_recommender.serving.options import Limits
from multitask_recommender.serving.signatures import Input, Signature

DTYPES = {
    "text": tf.string,
    "count": tf.int32,
    "id": tf.int64,
    "weight": tf.float32,
    "flag": tf.bool,
    "wave": tf.complex64,
}


def signature(*names):
    inputs = {name: Input(f"Input {name!r}", DTYPES[name], None, None) for name in names}
    return Signature("s", inputs, ("out",), Limits())


SEVERAL = signature(*DTYPES)


def arrays(request, of=SEVERAL):
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    return json_form.read(body).arrays(of)


def test_columns_and_rows_are_the_same_arrays():
    columns = arrays({"inputs": {"text": ["a", "ü"], "id": [[1, 2, 3], [4, 5, 6]]}})
    rows = arrays({"instances": [{"text": "a", "id": [1, 2, 3]}, {"text": "ü", "id": [4, 5, 6]}]})

    assert columns["text"].tolist() == rows["text"].tolist() == [b"a", "ü".encode()]
    assert columns["id"].tolist() == rows["id"].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert columns["id"].dtype == np.int64


def test_a_single_input_may_stand_without_its_name():
    text = signature("text")

    assert arrays({"inputs": ["a"]}, text)["text"].tolist() == [b"a"]
    assert arrays({"instances": ["a", {"b64": "/w=="}]}, text)["text"].tolist() == [b"a", b"\xff"]
    assert arrays({"inputs": {"b64": "/w=="}}, text)["text"].tolist() == b"\xff"


def test_the_signature_is_named_or_the_default():
    assert json_form.read(b'{"inputs": []}').signature == ""
    assert json_form.read(b'{"inputs": [], "signature_name": "rank"}').signature == "rank"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The body is no JSON: Expecting value"),
        (b"{'inputs': 1}", "The body is no JSON: Expecting property name"),
        (b'{"inputs": \xff}', "The body is not UTF-8: invalid start byte at byte 11"),
        ('{"inputs": 1}'.encode("utf-16"), "The body is not UTF-8"),
        (b'\xef\xbb\xbf{"inputs": 1}', "The body is no JSON: Unexpected UTF-8 BOM"),
        (b'{"inputs": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b'{"inputs": ' + b"9" * 5_000 + b"}", "The body is no JSON: Exceeds the limit"),
        (b'{"inputs": [], "inputs": []}', "the key 'inputs' stands twice in an object"),
        (b"[1]", "The body is a list of 1, expected a JSON object"),
        (b"null", "The body is null, expected a JSON object"),
        (b"{}", "The body has neither of 'instances' and 'inputs'"),
        (b'{"inputs": 1, "instances": [1]}', "The body has both of 'instances' and 'inputs'"),
        (b'{"inputs": [], "signature": "x"}', "key 'signature'. Did you mean 'signature_name'"),
        (b'{"inputs": [], "signature_name": 3}', "'signature_name' is 3, expected a string"),
    ],
)
def test_what_is_no_request(body, message):
    with pytest.raises(Fault, match=message) as caught:
        json_form.read(body)

    assert caught.value.kind is Kind.INVALID


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"inputs": ["a"]}, "'inputs' is a list of 1 without names, but signature 's' has several"),
        ({"inputs": None}, "'inputs' is null without names"),
        ({"inputs": {"x": [1]}}, "Signature 's' has no input 'x'"),
        ({"inputs": {"": [1]}}, "Signature 's' has no input ''"),
        ({"instances": []}, "'instances' is a list of 0, expected a list of at least one row"),
        ({"instances": {"text": "a"}}, "'instances' is an object with 'text', expected a list"),
        ({"instances": ["a"]}, "'instances' is a list of 1 without names"),
        ({"instances": [{"id": 1}, 2]}, "Row 1 of 'instances' is 2, expected an object"),
        (
            {"instances": [{"id": 1}, {"id": 1, "text": "a"}]},
            "Row 1 of 'instances' differs from row 0 in its inputs: only one of them has 'text'",
        ),
        (
            {"instances": [{"id": [1, 2]}, {"id": [1]}]},
            "Input 'id': the lists are ragged. List 1 of depth 2 has 1 values, expected 2 as in",
        ),
        ({"inputs": {"id": [[1], 2]}}, "ragged. List 1 of depth 2 has 2, expected 1"),
        ({"inputs": {"id": [1, [2]]}}, r"Input 'id': expected int64, found a list of 1"),
    ],
)
def test_what_no_signature_takes(request_, message):
    with pytest.raises(Fault, match=message) as caught:
        arrays(request_)

    assert caught.value.kind is Kind.INVALID


def answer(is_rows, **outputs):
    made = {name: np.asarray(each) for name, each in outputs.items()}
    return json.loads(json_form.write(made, is_rows))


def test_answers_in_columns_and_in_rows():
    outputs = {
        "ids": np.array([[b"a", "ü".encode()], [b"b", b""]], object),
        "n": np.array([2, 1], np.int32),
        "ok": np.array([True, False]),
    }

    assert answer(False, **outputs) == {
        "outputs": {"ids": [["a", "ü"], ["b", ""]], "n": [2, 1], "ok": [True, False]}
    }
    assert answer(True, **outputs) == {
        "predictions": [
            {"ids": ["a", "ü"], "n": 2, "ok": True},
            {"ids": ["b", ""], "n": 1, "ok": False},
        ]
    }


def test_a_single_output_stands_without_its_name():
    assert answer(False, n=[1, 2]) == {"outputs": [1, 2]}
    assert answer(True, n=[1, 2]) == {"predictions": [1, 2]}


def test_bytes_are_base64():
    raw = np.array([b"\xff"], object)

    assert answer(True, image_bytes=np.array([b"a"], object)) == {"predictions": [{"b64": "YQ=="}]}
    assert answer(True, text=raw) == {"predictions": [{"b64": "/w=="}]}


def test_floats_are_short_and_come_back_the_same():
    values = np.array([0.1, 1 / 3, 3.4e38, 1e-45, -0.0], np.float32)
    text = json_form.write({"x": values}, is_rows=True)

    np.testing.assert_array_equal(np.array(json.loads(text)["predictions"], np.float32), values)
    assert b"0.333333343" in text
    assert answer(True, x=np.array([1 / 3])) == {"predictions": [1 / 3]}  # float64 as it is


def test_outputs_without_rows_in_common_are_for_columns():
    for outputs in ({"a": [1], "b": [1, 2]}, {"a": [1], "b": 3}):
        with pytest.raises(Fault, match="The outputs have no rows in common: a, b. Ask with 'inp"):
            answer(True, **outputs)
        assert answer(False, **outputs) == {"outputs": outputs}
