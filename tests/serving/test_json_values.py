"""One value of JSON as one value of a type, without loss."""

import json
import math

import pytest
import tensorflow as tf

from multitask_recommender.serving.faults import Fault, Kind
from multitask_recommender.serving.json_values import is_bytes, reader, told
from multitask_recommender.serving.signatures import Input


def read(dtype, value):
    return reader(Input("Input 'x'", dtype, None, None))(value)


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        (tf.string, "ü", "ü".encode()),
        (tf.string, "", b""),
        (tf.string, {"b64": "/w=="}, b"\xff"),
        (tf.int64, 2**63 - 1, 2**63 - 1),
        (tf.int64, -(2**63), -(2**63)),
        (tf.uint8, 255, 255),
        (tf.bool, False, False),
        (tf.float32, 2.5, 2.5),
        (tf.float32, 3, 3),
        (tf.float32, -math.inf, -math.inf),
        (tf.float64, 1e300, 1e300),
    ],
)
def test_what_a_type_takes(dtype, value, expected):
    assert read(dtype, value) == expected


def test_nan_is_a_number_here():
    assert math.isnan(read(tf.float32, json.loads("NaN")))


@pytest.mark.parametrize(
    ("dtype", "value", "message"),
    [
        (tf.int64, "1", "Input 'x': expected int64, found the string '1'."),
        (tf.int64, 1.0, "Input 'x': expected int64, found the number 1.0."),
        (tf.int64, True, "Input 'x': expected int64, found true."),
        (tf.int64, None, "Input 'x': expected int64, found null."),
        (
            tf.int64,
            2**63,
            "Input 'x': expected int64, found 9223372036854775808, beyond "
            "-9,223,372,036,854,775,808 .. 9,223,372,036,854,775,807.",
        ),
        (tf.uint8, -1, "Input 'x': expected uint8, found -1, beyond 0 .. 255."),
        (tf.string, 1, "Input 'x': expected string, found 1."),
        (
            tf.string,
            "\ud800",
            "Input 'x': expected string, found the string '\\ud800', half of a surrogate pair.",
        ),
        (tf.string, {"b64": 1}, "Input 'x': expected string, found an object with 'b64'."),
        (tf.float32, "NaN", "Input 'x': expected float32, found the string 'NaN'."),
        (tf.float32, True, "Input 'x': expected float32, found true."),
        (
            tf.float32,
            1e39,
            "Input 'x': expected float32, found the number 1e+39, beyond 3.4e+38.",
        ),
        (tf.bool, 1, "Input 'x': expected bool, found 1."),
        (tf.complex64, 1, "Input 'x': complex64 cannot be written as JSON. Use gRPC."),
    ],
)
def test_what_a_type_does_not_take(dtype, value, message):
    with pytest.raises(Fault) as caught:
        read(dtype, value)

    assert (caught.value.kind, caught.value.sentence) == (Kind.INVALID, message)


@pytest.mark.parametrize("text", ["!", "é", "YQ=", "YQ==YQ=="])
def test_what_is_no_base64(text):
    with pytest.raises(Fault, match="found an object with 'b64', which is no base64: "):
        read(tf.string, {"b64": text})


def test_an_integer_that_no_double_holds():
    """Such a one cannot even be compared by way of a float."""
    with pytest.raises(Fault, match=r"found 1000.*\.\.\., beyond 3.4e\+38"):
        read(tf.float32, 10**400)


def test_bytes_are_an_object_with_one_key():
    assert is_bytes({"b64": ""})
    assert not any(map(is_bytes, ({"b64": "", "x": 1}, {"b64": 1}, "b64", {}, None)))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([1] * 2_000, "a list of 2,000"),
        ({}, "an object with nothing in it"),
        ({"a": 1, "b": 2}, "an object with 'a', 'b'"),
        ("x", "the string 'x'"),
        (1.5, "the number 1.5"),
        (7, "7"),
        (True, "true"),
        (None, "null"),
    ],
)
def test_values_as_a_reader_would_call_them(value, words):
    assert told(value) == words
