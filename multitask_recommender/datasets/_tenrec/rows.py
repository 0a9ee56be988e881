"""A piece of a file of Tenrec, its lines as columns; see `tenrec`. Imports pyarrow.

What pyarrow does not take, or what does not hold of the values, makes a whole piece faulty; which
line is at fault, `faults.py` finds out.
"""

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.csv

from multitask_recommender.datasets._tenrec.files import NULL
from multitask_recommender.datasets._tenrec.layouts import FIRST_CLICKS, Layout
from multitask_recommender.schema import ITEM_ID, USER_ID

TRUE, FALSE = ("1", "1.0", "True"), ("0", "0.0", "False")
UNOBSERVED = 255  # in a column of labels
_OVERFLOW = 2.0**31  # a count from here up is a negative number, printed unsigned


@dataclasses.dataclass(frozen=True)
class Rows:
    """n rows, in s runs of one user each: what is of users is told at the start of a run."""

    num_lines: int  # blank ones included
    user_ids: np.ndarray  # raw int32 [n]
    item_ids: np.ndarray  # raw int32 [n]
    labels: dict[str, np.ndarray]  # uint8 [n]: 0, 1 or UNOBSERVED
    of_rows: dict[str, np.ndarray]  # float32 [n], NaN where missing
    of_items: dict[str, np.ndarray]  # float64 [n]
    starts: np.ndarray  # [s]: where each run begins
    of_users: dict[str, np.ndarray]  # float64 [s], and [s, M] raw item ids as first_clicks
    conflicts: dict[str, np.ndarray]  # of users: raw ids of those whose rows do not agree
    overflowed: dict[str, int]  # how many values of a column became missing


def parse(lines: bytes, layout: Layout) -> Rows | None:
    """The rows; None where something is wrong with one of them."""
    table, num_lines = _table(lines, layout)
    if table is None or any(table.column(name).null_count for name in layout.ids):
        return None
    ids = {name: _whole(table, name) for name in layout.ids}
    clicks = {name: _whole(table, name) for name in layout.history}
    numbers = {name: table.column(name).to_numpy() for name in layout.numbers}
    if _are_faulty(ids, clicks) or _have_faulty_numbers(numbers, layout):
        return None
    users = ids[USER_ID]
    goes_on = users[1:] == users[:-1]  # a row after another of its user, [n - 1]
    starts = np.append([0], np.flatnonzero(~goes_on) + 1)[: len(users)]
    of_users = {name: numbers[name][starts] for name in layout.of_users}
    if clicks:
        of_users[FIRST_CLICKS] = np.stack([each[starts] for each in clicks.values()], axis=1)
    of_rows = {name: numbers[name].astype(np.float32) for name in layout.of_rows}
    return Rows(
        num_lines=num_lines,
        user_ids=users,
        item_ids=ids[ITEM_ID],
        labels={name: _label(table.column(name)) for name in layout.labels},
        of_rows=of_rows,
        of_items={name: numbers[name] for name in layout.of_items},
        starts=starts,
        of_users=of_users,
        conflicts=_conflicts(users, goes_on, {**numbers, **clicks}, layout),
        overflowed={name: _without_overflow(values) for name, values in of_rows.items()},
    )


def differ(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Where two numbers are known and not the same."""
    if one.dtype.kind == "i":
        return one != other
    return np.abs(one - other) > 0  # false of NaN


def _table(lines: bytes, layout: Layout) -> tuple[pa.Table | None, int]:
    """The columns as pyarrow reads them, if it does, and the number of lines."""
    try:
        table = _read(lines, layout, with_blank_lines=False)
        return table, len(table)
    except pa.ArrowInvalid:
        pass  # perhaps for a blank line; whatever else it is, it comes again
    try:
        return _read(lines, layout, with_blank_lines=True), lines.count(b"\n")
    except pa.ArrowInvalid:
        return None, 0


def _read(lines: bytes, layout: Layout, with_blank_lines: bool) -> pa.Table:
    types = dict.fromkeys((*layout.ids, *layout.history), pa.int32())
    types |= dict.fromkeys(layout.labels, pa.bool_())
    types |= dict.fromkeys(layout.numbers, pa.float64())
    return pa.csv.read_csv(
        pa.BufferReader(lines),
        # Pieces are read side by side, so that threads within one would gain nothing; one block
        # makes one chunk, and so columns that numpy takes as they are.
        read_options=pa.csv.ReadOptions(
            use_threads=False, column_names=layout.header, block_size=len(lines) + 1
        ),
        parse_options=pa.csv.ParseOptions(quote_char=False, ignore_empty_lines=with_blank_lines),
        convert_options=pa.csv.ConvertOptions(
            column_types=types,
            include_columns=list(types),
            null_values=[NULL],
            true_values=TRUE,
            false_values=FALSE,
        ),
    )


def _whole(table: pa.Table, name: str) -> np.ndarray:
    column = table.column(name)
    column = column.fill_null(0) if column.null_count else column
    return column.to_numpy()


def _label(column: pa.ChunkedArray) -> np.ndarray:
    values = column.cast(pa.uint8())
    return (values.fill_null(UNOBSERVED) if values.null_count else values).to_numpy()


def _are_faulty(ids: dict[str, np.ndarray], clicks: dict[str, np.ndarray]) -> bool:
    users = ids[USER_ID]
    return (
        any(values.min(initial=1) < 1 for values in ids.values())
        or any(values.min(initial=0) < 0 for values in clicks.values())
        or bool((users[1:] < users[:-1]).any())
    )


def _have_faulty_numbers(numbers: dict[str, np.ndarray], layout: Layout) -> bool:
    if any(np.isinf(values).any() for values in numbers.values()):
        return True
    wholes = [numbers[name] for name in layout.categories]
    return any((values - np.floor(values) > 0).any() for values in wholes)


def _conflicts(
    users: np.ndarray, goes_on: np.ndarray, columns: dict[str, np.ndarray], layout: Layout
) -> dict[str, np.ndarray]:
    found = {}
    names = {name: [name] for name in layout.of_users}
    names |= {FIRST_CLICKS: list(layout.history)} if layout.history else {}
    for feature, parts in names.items():
        rows = [
            np.flatnonzero(goes_on & differ(columns[name][1:], columns[name][:-1]))
            for name in parts
        ]
        found[feature] = np.unique(users[np.concatenate(rows)])
    return found


def _without_overflow(values: np.ndarray) -> int:
    """Makes what overflowed missing, in place; how many there were."""
    rows = np.flatnonzero(values >= _OVERFLOW)
    values[rows] = np.nan
    return len(rows)
