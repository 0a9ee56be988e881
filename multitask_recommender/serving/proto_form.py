"""Requests and answers as gRPC has them: TensorProto."""

from collections.abc import Mapping, MutableMapping

import numpy as np
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto

from multitask_recommender.serving.faults import invalid
from multitask_recommender.serving.signatures import Arrays, Input, Signature

# Where TF Serving puts values: into typed fields, never into `tensor_content`.
_FIELDS = {
    tf.float32: "float_val",
    tf.float64: "double_val",
    tf.int8: "int_val",
    tf.uint8: "int_val",
    tf.int16: "int_val",
    tf.int32: "int_val",
    tf.int64: "int64_val",
    tf.uint32: "uint32_val",
    tf.uint64: "uint64_val",
    tf.bool: "bool_val",
    tf.string: "string_val",
}


def arrays(inputs: Mapping[str, TensorProto], signature: Signature) -> Arrays:
    """The tensors of a request; raises Fault for those that the signature does not take."""
    return {name: _array(proto, signature.input(name), signature) for name, proto in inputs.items()}


def fill(outputs: MutableMapping[str, TensorProto], values: Arrays) -> None:
    """Writes arrays into the outputs of an answer."""
    for name, array in values.items():
        proto = outputs[name]
        dtype = tf.string if array.dtype == object else tf.dtypes.as_dtype(array.dtype)
        proto.dtype = dtype.as_datatype_enum
        for size in array.shape:
            proto.tensor_shape.dim.add(size=size)
        getattr(proto, _FIELDS[dtype]).extend(array.ravel().tolist())


def _array(proto: TensorProto, into: Input, signature: Signature) -> np.ndarray:
    if proto.dtype != into.dtype.as_datatype_enum:
        found = _dtype_name(proto.dtype)
        raise invalid(f"{into.place}: expected {into.dtype.name}, found {found}.")
    shape = [dim.size for dim in proto.tensor_shape.dim]
    if proto.tensor_shape.unknown_rank or min(shape, default=0) < 0:
        raise invalid(f"{into.place}: the tensor says no shape, expected one.")
    # Before the values are looked at: a tensor of one repeated value can say that it is of any
    # size in a few bytes.
    into.check(shape, signature.limits)
    try:
        return tf.make_ndarray(proto)
    except (ValueError, TypeError) as error:
        raise invalid(
            f"{into.place}: the values do not fill the shape {shape}: {error}."
        ) from error


def _dtype_name(number: int) -> str:
    try:
        return tf.dtypes.as_dtype(number).name
    except TypeError:
        return f"the unknown type {number}"
