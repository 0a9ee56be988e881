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


def one(name, value):
    return arrays({"inputs": {name: value}})[name]


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


def test_values_of_every_kind():
    assert one("text", [[]]).shape == (1, 0)
    assert one("text", [""]).tolist() == [b""]
    assert one("id", [2**63 - 1, -(2**63)]).tolist() == [2**63 - 1, -(2**63)]
    assert one("flag", [True, False]).tolist() == [True, False]
    assert one("weight", [1, 2.5]).tolist() == [1.0, 2.5]
    assert one("weight", 3.0).shape == ()
    assert np.isnan(arrays(b'{"inputs": {"weight": [NaN]}}')["weight"]).all()
    assert arrays(b'{"inputs": {"weight": [-Infinity]}}')["weight"].tolist() == [-np.inf]


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
        ({"inputs": {"id": ["1"]}}, "Input 'id': expected int64, found the string '1'"),
        ({"inputs": {"id": [1.0]}}, "Input 'id': expected int64, found the number 1.0"),
        ({"inputs": {"id": [True]}}, "Input 'id': expected int64, found true"),
        ({"inputs": {"id": [None]}}, "Input 'id': expected int64, found null"),
        ({"inputs": {"id": [2**63]}}, "found 9223372036854775808, beyond -9,223,372,036,854,775"),
        ({"inputs": {"count": [2**31]}}, "Input 'count': expected int32, found 2147483648, beyond"),
        ({"inputs": {"text": [1]}}, "Input 'text': expected string, found 1"),
        ({"inputs": {"text": ["\ud800"]}}, "half of a surrogate pair"),
        ({"inputs": {"text": [{"b64": "!"}]}}, "an object with 'b64', which is no base64"),
        ({"inputs": {"text": [{"b64": "é"}]}}, "an object with 'b64', which is no base64"),
        ({"inputs": {"text": [{"b64": 1}]}}, "expected string, found an object with 'b64'"),
        ({"inputs": {"weight": ["NaN"]}}, "expected float32, found the string 'NaN'"),
        ({"inputs": {"weight": [True]}}, "expected float32, found true"),
        ({"inputs": {"weight": [1e39]}}, "found the number 1e\\+39, beyond 3.4e\\+38"),
        ({"inputs": {"weight": [10**400]}}, "found 1000.*beyond 3.4e\\+38"),
        ({"inputs": {"flag": [1]}}, "expected bool, found 1"),
        ({"inputs": {"wave": [1]}}, "complex64 cannot be written as JSON. Use gRPC"),
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
