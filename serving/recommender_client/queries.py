"""Whom to answer, as the columns that a signature takes.

A column has a row for each query, whatever a query leaves out: TensorFlow Serving's batching joins
requests, and refuses one whose inputs differ in their first dimension. What is left out is the
export's own default, repeated. Lists of unequal length are filled up with the word of no item:

- `history` on the right; `history_length` says what counts.
- `exclude_ids` on the right, and that word also stands first in every row. For the server fills up
  the requests that it joins by the first value of a tensor: an id that one user does not want would
  else be withheld from all of the request.
- `item_ids` with the row's last; `answers.py` leaves off what was not asked.

No list is empty: the server cannot fill up an empty tensor, and all that it joined would fail.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from .endpoint import Signature
from .errors import UsageError
from .messages import DTYPES
from .tensors import Id, Nested, Value

# What an export reads as nobody and nothing, by the type of its ids.
NO_ITEM: Mapping[int, Id] = {DTYPES["DT_STRING"]: "", DTYPES["DT_INT64"]: -1}
Row: TypeAlias = Mapping[str, Value | list[Id] | None]


@dataclass(frozen=True)
class Query:
    """One user's request; what is None or empty is as the export's defaults have it.

    `history`: item ids, oldest first, that count instead of what training tells of the user.
    `weights`: of the tasks in the order of the answer, `retrieval` among them, by name.
    `features`: of the event, by name; several words where the export takes several.
    """

    user_id: Id | None = None
    history: Sequence[Id] = ()
    k: int | None = None
    exclude_ids: Sequence[Id] = ()
    exclude_seen: bool | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    features: Mapping[str, str | float | Sequence[str]] = field(default_factory=dict)

    def row(self) -> Row:
        """Inputs by name; None is left to the default."""
        features: dict[str, Value | list[Id] | None] = {
            name: value if isinstance(value, str | int | float) else list(value)
            for name, value in self.features.items()
        }
        return {
            "user_id": self.user_id,
            "history": list(self.history),
            "history_length": len(self.history),
            "k": self.k,
            "exclude_ids": list(self.exclude_ids),
            "exclude_seen": self.exclude_seen,
            **{f"weight_{task}": weight for task, weight in self.weights.items()},
            **features,
        }


def columns(rows: Sequence[Row], signature: Signature) -> dict[str, Nested]:
    """The inputs of a signature, of rows by the inputs' names.

    An empty or None value of an input that the signature does not have asks for nothing and is
    dropped; any other is a UsageError.
    """
    if not rows:
        raise UsageError(f"{signature.name}: a batch of no queries. Give at least one.")
    for row in rows:
        _check_names(row, signature)
    filled = {name: _column(name, rows, signature) for name in signature.inputs}
    return {name: values for name, values in filled.items() if values is not None}


def completed(inputs: Mapping[str, Nested], signature: Signature) -> dict[str, Nested]:
    """Columns of one length: with the defaults of what is left out, a lone row for all."""
    batch = max((len(rows) for rows in inputs.values() if isinstance(rows, list)), default=1)
    columns = {**signature.defaults, **inputs}
    return {
        name: [_not_empty(name, row, signature) for row in rows] * (batch if len(rows) == 1 else 1)
        if isinstance(rows, list)
        else rows
        for name, rows in columns.items()
    }


def _not_empty(name: str, row: Nested, signature: Signature) -> Nested:
    """A row, or the word of no item where it is an empty list of ids."""
    no_item = NO_ITEM.get(signature.inputs.get(name, 0))
    return row if row != [] or no_item is None else [no_item]


def _check_names(row: Row, signature: Signature) -> None:
    for name, value in row.items():
        asks = value not in (None, []) and name != "history_length"
        if asks and name not in signature.inputs:
            known = ", ".join(sorted(signature.inputs))
            raise UsageError(f"{signature.name} takes no {name}. Its inputs: {known}.")


def _column(name: str, rows: Sequence[Row], signature: Signature) -> Nested | None:
    """A value for each row; None if none gives one and the server knows of no default."""
    values = [row.get(name) for row in rows]
    if any(isinstance(value, list) for value in values):
        lists = [value if isinstance(value, list) else [] for value in values]
        return _rectangle(name, lists, signature)
    default = signature.defaults.get(name)
    if default is None:
        given = [value for value in values if value is not None]
        if given and len(given) < len(values):
            raise UsageError(f"{signature.name}: {name} has no default. Give it in every query.")
        return given or None
    [default] = [_not_empty(name, row, signature) for row in default]
    return [default if value is None else value for value in values]


def _rectangle(name: str, lists: Sequence[list[Id]], signature: Signature) -> list[list[Id]]:
    no_item = NO_ITEM.get(signature.inputs[name])
    if no_item is None:
        raise UsageError(f"{signature.name}: {name} is not of ids. Give one value a query.")
    rows = [[no_item, *each] if name == "exclude_ids" else each for each in lists]
    width = max(1, *map(len, rows))
    if name == "item_ids":
        return [each + each[-1:] * (width - len(each)) for each in rows]
    return [each + [no_item] * (width - len(each)) for each in rows]
