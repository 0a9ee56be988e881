"""Tensors as nested lists, the form that JSON has, and as the protos that gRPC carries."""

import math
import struct
from collections.abc import Iterator
from typing import Any, TypeAlias

from google.protobuf.message import Message

from .errors import UsageError
from .messages import DTYPES, TensorProto

Id: TypeAlias = int | str
Value: TypeAlias = str | float | int | bool
Nested: TypeAlias = Any  # a Value, or a list of Nested; as deep as the tensor has dimensions

# dtype: the field that holds its values, and its format in `tensor_content`.
_FIELDS = {
    DTYPES["DT_FLOAT"]: ("float_val", "f"),
    DTYPES["DT_INT32"]: ("int_val", "i"),
    DTYPES["DT_STRING"]: ("string_val", None),
    DTYPES["DT_INT64"]: ("int64_val", "q"),
    DTYPES["DT_BOOL"]: ("bool_val", "?"),
}


def dtype_name(dtype: int) -> str:
    """`int64` for DT_INT64."""
    names = {number: name for name, number in DTYPES.items()}
    return names.get(dtype, str(dtype)).removeprefix("DT_").lower()


def shape_of(values: Nested) -> list[int]:
    """The shape of nested lists; UsageError where rows differ in length."""
    if not isinstance(values, list):
        return []
    shapes = [shape_of(each) for each in values]
    if any(shape != shapes[0] for shape in shapes):
        raise UsageError(f"rows differ in shape: {shapes[0]} and others; pad them to one length")
    return [len(values), *(shapes[0] if shapes else [])]


def encode(values: Nested, dtype: int) -> Message:
    """A TensorProto of nested lists; UsageError where a value is not of the type."""
    if dtype not in _FIELDS:
        raise UsageError(f"tensors of {dtype_name(dtype)} are not known to this client")
    tensor = TensorProto(dtype=dtype)
    for size in shape_of(values):
        tensor.tensor_shape.dim.add(size=size)
    flat: list[Any] = list(_flat(values))
    try:
        if dtype == DTYPES["DT_STRING"]:
            flat = [value.encode() for value in flat]
        getattr(tensor, _FIELDS[dtype][0]).extend(flat)
    except (TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{_shown(flat)} is not of type {dtype_name(dtype)}: {error}") from error
    return tensor


def decode(tensor: Message) -> Nested:
    """Nested lists of a TensorProto; strings are UTF-8."""
    if tensor.dtype not in _FIELDS:
        raise UsageError(f"tensors of {dtype_name(tensor.dtype)} are not known to this client")
    field, form = _FIELDS[tensor.dtype]
    shape = [dim.size for dim in tensor.tensor_shape.dim]
    count = math.prod(shape)
    if tensor.tensor_content and form:
        flat = list(struct.unpack(f"<{count}{form}", tensor.tensor_content))
    else:
        flat = list(getattr(tensor, field))
        # Trailing values that repeat may be left out, and zeros altogether.
        flat += (flat[-1:] or [b"" if form is None else 0]) * (count - len(flat))
    if form is None:
        flat = [value.decode() for value in flat]
    return _folded(flat, shape)


def _flat(values: Nested) -> Iterator[Value]:
    if isinstance(values, list):
        for each in values:
            yield from _flat(each)
    else:
        yield values


def _folded(flat: list[Value], shape: list[int]) -> Nested:
    if not shape:
        return flat[0]
    if len(shape) == 1:
        return flat
    width = math.prod(shape[1:])
    return [_folded(flat[n * width : (n + 1) * width], shape[1:]) for n in range(shape[0])]


def _shown(values: list[Value]) -> str:
    text = repr(values)
    return text if len(text) <= 60 else f"{text[:57]}..."
