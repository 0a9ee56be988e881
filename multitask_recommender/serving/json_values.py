"""One value of JSON as one value of an input's type, without loss; anything else is a fault."""

import base64
import binascii
import functools
import math
from collections.abc import Callable
from typing import Any, NoReturn

import tensorflow as tf

from multitask_recommender.serving.faults import invalid, shown
from multitask_recommender.serving.signatures import Input

_BYTES = "b64"


def reader(into: Input) -> Callable[[Any], Any]:
    """A function from a value of JSON to one of the input's type; it raises Fault."""
    dtype = into.dtype
    if dtype == tf.string:
        return functools.partial(_string, into)
    if dtype == tf.bool:
        return functools.partial(_bool, into)
    if dtype.is_integer:
        return functools.partial(_integer, into, int(dtype.min), int(dtype.max))
    if dtype.is_floating:
        return functools.partial(_float, into, float(dtype.max))
    raise invalid(f"{into.place}: {dtype.name} cannot be written as JSON. Use gRPC.")


def is_bytes(value: Any) -> bool:
    """Whether a value is {"b64": text}."""
    return isinstance(value, dict) and value.keys() == {_BYTES} and isinstance(value[_BYTES], str)


def told(value: Any) -> str:
    """A JSON value as a reader would call it."""
    if isinstance(value, list):
        return f"a list of {len(value):,}"
    if isinstance(value, dict):
        return f"an object with {', '.join(map(shown, list(value)[:5])) or 'nothing in it'}"
    kinds = {bool: "", type(None): "", str: "the string ", int: "", float: "the number "}
    names = {True: "true", False: "false", None: "null"}
    if value is None or isinstance(value, bool):
        return names[value]
    return f"{kinds[type(value)]}{shown(value)}"


def _string(into: Input, value: Any) -> bytes:
    try:
        if isinstance(value, str):
            return value.encode()
        if is_bytes(value):
            return base64.b64decode(value[_BYTES], validate=True)
    except UnicodeEncodeError:
        _refuse(into, value, ", half of a surrogate pair")
    except (binascii.Error, ValueError) as error:
        _refuse(into, value, f", which is no base64: {error}")
    _refuse(into, value)


def _integer(into: Input, least: int, most: int, value: Any) -> int:
    if type(value) is not int:  # True is an int too
        _refuse(into, value)
    if not least <= value <= most:
        _refuse(into, value, f", beyond {least:,} .. {most:,}")
    return value


def _float(into: Input, most: float, value: Any) -> float:
    """NaN and Infinity are numbers in TensorFlow Serving's JSON: graphs refuse what they must."""
    if type(value) not in (int, float):
        _refuse(into, value)
    is_finite = isinstance(value, int) or math.isfinite(value)
    if is_finite and abs(value) > most:
        _refuse(into, value, f", beyond {most:.2g}")
    return value


def _bool(into: Input, value: Any) -> bool:
    return value if isinstance(value, bool) else _refuse(into, value)


def _refuse(into: Input, value: Any, why: str = "") -> NoReturn:
    raise invalid(f"{into.place}: expected {into.dtype.name}, found {told(value)}{why}.")
