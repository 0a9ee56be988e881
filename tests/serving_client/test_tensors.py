"""Nested lists and TensorProtos, against TensorFlow's own conversions."""

import numpy as np
import pytest
import tensorflow as tf
from recommender_client.errors import UsageError
from recommender_client.messages import DTYPES, TensorProto
from recommender_client.tensors import decode, dtype_name, encode, shape_of
from tensorflow.core.framework import tensor_pb2

VALUES = {
    "DT_FLOAT": [[0.5, -1.0, 3.25], [0.0, 2.0, 8.0]],
    "DT_INT32": [3, -2],
    "DT_INT64": [[2**62], [-5], [0]],
    "DT_BOOL": [True, False, True],
    "DT_STRING": [["a", "élan"], ["", "b"]],
}


def _ours(proto) -> TensorProto:
    return TensorProto.FromString(proto.SerializeToString())


@pytest.mark.parametrize("name", VALUES)
def test_tensorflow_reads_what_is_encoded(name):
    proto = encode(VALUES[name], DTYPES[name])

    read = tf.make_ndarray(tensor_pb2.TensorProto.FromString(proto.SerializeToString()))

    expected = np.array(VALUES[name])
    if name == "DT_STRING":
        read, expected = read.astype(bytes), np.char.encode(expected, "utf-8")
    np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize("name", VALUES)
def test_what_tensorflow_writes_is_decoded(name):
    """Its protos hold `tensor_content`, where they are not of strings."""
    assert decode(_ours(tf.make_tensor_proto(VALUES[name], DTYPES[name]))) == VALUES[name]


def test_a_value_that_repeats_is_written_once():
    proto = TensorProto(dtype=DTYPES["DT_FLOAT"], float_val=[1.0, 2.5])
    for size in (2, 2):
        proto.tensor_shape.dim.add(size=size)

    assert decode(proto) == [[1.0, 2.5], [2.5, 2.5]]


@pytest.mark.parametrize(("name", "filler"), [("DT_INT32", 0), ("DT_STRING", "")])
def test_a_tensor_of_zeros_may_hold_no_values(name, filler):
    proto = TensorProto(dtype=DTYPES[name])
    proto.tensor_shape.dim.add(size=2)

    assert decode(proto) == [filler, filler]


@pytest.mark.parametrize("values", [[[], []], [], [[[1, 2]]], 7])
def test_shapes_are_kept(values):
    array = np.array(values)

    assert shape_of(values) == list(array.shape)
    assert decode(encode(values, DTYPES["DT_INT32"])) == values


def test_rows_of_two_lengths():
    with pytest.raises(UsageError, match=r"rows differ in shape: \[2\] and others; pad them"):
        encode([[1, 2], [3]], DTYPES["DT_INT32"])


@pytest.mark.parametrize(
    ("value", "name", "told"),
    [
        ("a", "DT_INT64", r"\['a'\] is not of type int64"),
        (1.5, "DT_INT32", r"\[1.5\] is not of type int32"),
        (2**70, "DT_INT64", r"is not of type int64"),
        (7, "DT_STRING", r"\[7\] is not of type string"),
        (["x" * 80], "DT_FLOAT", r"x\.\.\. is not of type float"),
    ],
)
def test_a_value_of_another_type(value, name, told):
    with pytest.raises(UsageError, match=told):
        encode([value], DTYPES[name])


def test_a_type_that_no_export_has():
    assert (dtype_name(9), dtype_name(2)) == ("int64", "2")

    with pytest.raises(UsageError, match="tensors of 2 are not known to this client"):
        decode(TensorProto(dtype=2))
