"""TensorProto to arrays and back."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow_serving.apis.predict_pb2 import PredictResponse

from multitask_recommender.serving import proto_form
from multitask_recommender.serving.faults import Fault, Kind
from multitask_recommender.serving.options import Limits
from multitask_recommender.serving.signatures import Input, Signature

SIGNATURE = Signature(
    "s",
    {
        "id": Input("Input 'id'", tf.int64, (None, None), None),
        "text": Input("Input 'text'", tf.string, (None,), None),
    },
    ("out",),
    Limits(batch=1000, ids=1000),
)


def proto(dtype=tf.int64, shape=(1, 2), **values):
    made = TensorProto(dtype=dtype.as_datatype_enum, **values)
    for size in shape:
        made.tensor_shape.dim.add(size=size)
    return made


def read(**inputs):
    return proto_form.arrays(inputs, SIGNATURE)


def test_values_in_fields_and_as_bytes_are_the_same():
    content = np.array([5, 6], np.int64).tobytes()

    for made in (proto(int64_val=[5, 6]), proto(tensor_content=content)):
        assert read(id=made)["id"].tolist() == [[5, 6]]
    assert read(text=tf.make_tensor_proto([b"a", b"\xff"]))["text"].tolist() == [b"a", b"\xff"]


@pytest.mark.parametrize(
    ("name", "made", "message"),
    [
        ("x", proto(), "Signature 's' has no input 'x'"),
        ("id", proto(tf.int32, int_val=[1, 2]), "Input 'id': expected int64, found int32"),
        ("id", TensorProto(dtype=9999), "expected int64, found the unknown type 9999"),
        ("id", TensorProto(), "expected int64, found the unknown type 0"),
        ("id", proto(shape=(2,)), r"expected the shape \[any, any\], found \[2\]"),
        ("id", proto(shape=(-1, 2)), "the tensor says no shape, expected one"),
        ("id", proto(shape=(0, 2)), "the batch is empty"),
        # Eight bytes that say they are eight exabytes.
        ("id", proto(shape=(1, 2**60), int64_val=[1]), "values in a row, expected at most 1,000"),
        ("id", proto(shape=(2**40, 2**40), int64_val=[1]), "rows, expected at most 1,000"),
        ("id", proto(tensor_content=b"123"), r"the values do not fill the shape \[1, 2\]"),
        ("id", proto(int64_val=[1, 2, 3]), r"the values do not fill the shape \[1, 2\]"),
        ("text", proto(tf.string, (1,), tensor_content=b"abc"), "the values do not fill the shape"),
    ],
)
def test_what_the_signature_does_not_take(name, made, message):
    with pytest.raises(Fault, match=message) as caught:
        read(**{name: made})

    assert caught.value.kind is Kind.INVALID


def test_a_shape_of_unknown_rank():
    made = proto(shape=())
    made.tensor_shape.unknown_rank = True

    with pytest.raises(Fault, match="the tensor says no shape"):
        read(id=made)


@pytest.mark.parametrize(
    "dtype", ["float32", "float64", "int8", "uint8", "int16", "int32", "int64", "uint32", "bool"]
)
def test_answers_are_in_typed_fields_as_tensorflow_serving_writes_them(dtype):
    array = np.array([[0, 1, 2], [3, 4, 5]]).astype(dtype)
    response = PredictResponse()

    proto_form.fill(response.outputs, {"out": array})

    made = response.outputs["out"]
    assert not made.tensor_content
    np.testing.assert_array_equal(tf.make_ndarray(made), array)
    assert tf.make_ndarray(made).dtype == array.dtype


def test_strings_and_nothing_are_answers_too():
    response = PredictResponse()
    empty = np.empty((2, 0), np.float32)

    proto_form.fill(response.outputs, {"t": np.array([b"a", b""], object), "e": empty})

    assert tf.make_ndarray(response.outputs["t"]).tolist() == [b"a", b""]
    assert tf.make_ndarray(response.outputs["e"]).shape == (2, 0)
