"""Requests and answers as TensorFlow Serving's REST has them: JSON in rows or in columns.

Strings are JSON strings, or {"b64": ...} for bytes: https://www.tensorflow.org/tfx/serving/api_rest
"""

import base64
import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from multitask_recommender.errors import suggestion
from multitask_recommender.serving.faults import invalid, shown
from multitask_recommender.serving.json_values import is_bytes, reader, told
from multitask_recommender.serving.signatures import Arrays, Input, Signature

_SIGNATURE, _ROWS, _COLUMNS = "signature_name", "instances", "inputs"
_KEYS = (_SIGNATURE, _ROWS, _COLUMNS)
_BYTES_SUFFIX = "_bytes"  # of outputs that TF Serving always writes as {"b64": ...}


@dataclasses.dataclass(frozen=True)
class Document:
    """A request: the signature ("" is the default one), and values in rows or in columns."""

    signature: str
    is_rows: bool
    values: Any

    def arrays(self, signature: Signature) -> Arrays:
        """The values as the signature types them."""
        columns = self._by_row(signature) if self.is_rows else self._by_column(signature)
        return {name: _array(signature.input(name), value) for name, value in columns.items()}

    def _by_column(self, signature: Signature) -> dict[str, Any]:
        if isinstance(self.values, dict) and not is_bytes(self.values):
            return self.values
        return {_only_input(signature, _COLUMNS, self.values): self.values}

    def _by_row(self, signature: Signature) -> dict[str, Any]:
        rows = self.values
        if not isinstance(rows, list) or not rows:
            raise invalid(f"'{_ROWS}' is {told(rows)}, expected a list of at least one row.")
        if not isinstance(rows[0], dict) or is_bytes(rows[0]):
            return {_only_input(signature, _ROWS, rows): rows}
        if not rows[0]:  # of such rows nobody could tell how many there are
            raise invalid(f"Row 0 of '{_ROWS}' names no input, expected at least one.")
        for place, row in enumerate(rows):
            if not isinstance(row, dict):
                raise invalid(f"Row {place} of '{_ROWS}' is {told(row)}, expected an object.")
            if row.keys() != rows[0].keys():
                odd = ", ".join(sorted(map(shown, row.keys() ^ rows[0].keys())))
                raise invalid(
                    f"Row {place} of '{_ROWS}' differs from row 0 in its inputs: only one of them "
                    f"has {odd}. All rows need the same ones."
                )
        return {name: [row[name] for row in rows] for name in rows[0]}


def read(body: bytes) -> Document:
    """The request in a body; raises Fault for what is no JSON of that form."""
    try:
        found = json.loads(body.decode(), object_pairs_hook=_object)
    except UnicodeDecodeError as error:
        raise invalid(f"The body is not UTF-8: {error.reason} at byte {error.start}.") from error
    except RecursionError as error:
        raise invalid("The body is nested too deeply, expected lists of lists.") from error
    except ValueError as error:  # JSONDecodeError, and integers of thousands of digits
        raise invalid(f"The body is no JSON: {error}.") from error
    if not isinstance(found, dict):
        raise invalid(f"The body is {told(found)}, expected a JSON object.")
    for key in found.keys() - set(_KEYS):
        hint = suggestion(key, _KEYS)
        raise invalid(f"The body has a key {shown(key)}.{hint} Expected: {', '.join(_KEYS)}.")
    signature = found.get(_SIGNATURE, "")
    if not isinstance(signature, str):
        raise invalid(f"'{_SIGNATURE}' is {told(signature)}, expected a string.")
    if (_ROWS in found) == (_COLUMNS in found):
        has = "both" if _ROWS in found else "neither"
        raise invalid(f"The body has {has} of '{_ROWS}' and '{_COLUMNS}', expected one of them.")
    is_rows = _ROWS in found
    return Document(signature, is_rows, found[_ROWS if is_rows else _COLUMNS])


def write(arrays: Arrays, is_rows: bool) -> bytes:
    """The answer: `predictions` to rows, `outputs` to columns; a single output without its name."""
    columns = {name: _lists(name, array) for name, array in sorted(arrays.items())}
    if not is_rows:
        answer = {"outputs": columns if len(columns) > 1 else next(iter(columns.values()))}
    else:
        sizes = {len(array) if array.ndim else None for array in arrays.values()}
        if len(sizes) > 1 or None in sizes:
            raise invalid(
                f"The outputs have no rows in common: {', '.join(columns)}. Ask with '{_COLUMNS}'."
            )
        rows = list(zip(*columns.values(), strict=True))
        named = [dict(zip(columns, row, strict=True)) for row in rows]
        answer = {"predictions": named if len(columns) > 1 else [row[0] for row in rows]}
    return json.dumps(answer, ensure_ascii=False).encode()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {shown(twice)} stands twice in an object")
    return found


def _only_input(signature: Signature, key: str, values: Any) -> str:
    """The name of the input whose values stand without it."""
    if len(signature.inputs) != 1:
        raise invalid(
            f"'{key}' is {told(values)} without names, but signature {signature.name!r} has "
            f"several inputs: {', '.join(signature.inputs)}. Expected an object"
            f"{' for each row' if key == _ROWS else ''} with their names."
        )
    return next(iter(signature.inputs))


def _array(into: Input, value: Any) -> np.ndarray:
    """Nested lists as an array of the input's type."""
    shape, values = _flat(into, value)
    array = np.empty(len(values), into.dtype.as_numpy_dtype)
    read_one = reader(into)
    for place, each in enumerate(values):
        array[place] = read_one(each)
    return array.reshape(shape)


def _flat(into: Input, value: Any) -> tuple[tuple[int, ...], list[Any]]:
    """The shape of nested lists, and what they hold; raises Fault where they are ragged."""
    shape: list[int] = []
    level = [value]
    while level and isinstance(level[0], list):
        shape.append(len(level[0]))
        for place, each in enumerate(level):
            if not isinstance(each, list) or len(each) != shape[-1]:
                found = f"{len(each):,} values" if isinstance(each, list) else told(each)
                raise invalid(
                    f"{into.place}: the lists are ragged. List {place} of depth {len(shape)} has "
                    f"{found}, expected {shape[-1]:,} as in the first."
                )
        level = [item for each in level for item in each]
    return tuple(shape), level


def _lists(name: str, array: np.ndarray) -> Any:
    """An array as nested lists of what JSON holds."""
    if array.dtype == object:
        values: Sequence[Any] = [
            _text(each, as_bytes=name.endswith(_BYTES_SUFFIX)) for each in array.ravel()
        ]
        return _object_array(values, array.shape).tolist()
    if array.dtype.kind == "f" and array.dtype.itemsize <= 4:
        # Nine digits tell all float32 apart, as TF Serving writes them; a double takes seventeen.
        shorter = [float(f"{value:.9g}") for value in array.ravel().tolist()]
        return np.array(shorter).reshape(array.shape).tolist()
    return array.tolist()


def _object_array(values: Sequence[Any], shape: tuple[int, ...]) -> np.ndarray:
    """numpy makes an array of objects only when it is filled: else it looks into them."""
    array = np.empty(len(values), object)
    array[:] = values
    return array.reshape(shape)


def _text(value: bytes, as_bytes: bool) -> str | dict[str, str]:
    if not as_bytes:
        try:
            return value.decode()
        except UnicodeDecodeError:
            pass  # not every string is text: as bytes, so that the answer stays JSON
    return {"b64": base64.b64encode(value).decode()}
