"""The last step of preparing a file of Tenrec, when all of its users and items are known."""

import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from multitask_recommender.datasets._tenrec import column_files, saved_state
from multitask_recommender.datasets._tenrec.column_files import Column, Proof
from multitask_recommender.datasets._tenrec.files import ITEM_COLUMNS, NULL, USER_COLUMNS
from multitask_recommender.datasets._tenrec.items import Items
from multitask_recommender.datasets._tenrec.layouts import FIRST_CLICKS, Layout
from multitask_recommender.datasets._tenrec.saved_state import State
from multitask_recommender.schema import ITEM_ID

NUMBER, VALUE = "number-", "value-"  # columns of item numbers, and of users' values, until now


def finish(folder: pathlib.Path, layout: Layout, state: State, items: Items) -> dict[str, Any]:
    """Numbers items in the order of their raw ids, turns values into features, tidies up."""
    raw_ids, values, dense = items.in_order()
    proofs = {name: proof for name, proof in state.columns.items() if not _is_interim(name)}
    proofs[ITEM_ID] = _renumbered(folder, ITEM_ID, f"{NUMBER}{ITEM_ID}", dense)
    if layout.history:
        name = f"users-{FIRST_CLICKS}"
        proofs[name] = _renumbered(folder, name, f"{NUMBER}{FIRST_CLICKS}", dense)
    tables = {"items": values, "users": {}}
    for name in layout.of_users:
        tables["users"][name] = column_files.mapped(_path(folder, f"{VALUE}{name}"))
    columns = {"items-raw_id": raw_ids}
    vocabularies: dict[str, list[str] | None] = {}
    for table, features in tables.items():
        for name, numbers in features.items():
            key = f"{table}-{name}"
            columns[key], vocabularies[key] = _feature(name, numbers)
    for name, column in columns.items():
        proofs[name] = column_files.write(_path(folder, name), column)
    for name in filter(_is_interim, state.columns):
        _path(folder, name).unlink()
    saved_state.remove(folder)
    return {
        "rows": state.rows,
        "read_bytes": state.offset,
        "md5": state.md5,
        "columns": proofs,
        "vocabularies": vocabularies,
        "unobserved": [label for label, count in state.unobserved.items() if count],
        "warnings": layout.warnings + _warnings(state, items.conflicts()),
    }


def _is_interim(name: str) -> bool:
    return name.startswith((NUMBER, VALUE))


def _path(folder: pathlib.Path, name: str) -> pathlib.Path:
    return folder / f"{name}.npy"


def _renumbered(folder: pathlib.Path, name: str, of: str, dense: np.ndarray) -> Proof:
    """Writes a column of items' dense ids; that of a table has the row of the unknown in front."""
    source = _path(folder, of)
    width = column_files.mapped(source).shape[1:]
    column = Column(_path(folder, name), np.int32, *width)
    if name != ITEM_ID:
        column.append(np.zeros((1, *width), np.int32))
    for numbers in column_files.pieces(source):
        column.append(dense[numbers])
    column.close()
    return column.proof


def _feature(name: str, values: np.ndarray) -> tuple[np.ndarray, list[str] | None]:
    """Values [R] as those of a Feature [R + 1], codes or numbers, and the vocabulary of codes."""
    if name not in (*USER_COLUMNS, *ITEM_COLUMNS):
        return np.append(np.nan, values).astype(np.float32), None
    known = ~np.isnan(values)
    if name in USER_COLUMNS:
        known &= values != 0  # 0 is how Tenrec writes an unknown user's
    words, codes = np.unique(values[known], return_inverse=True)
    column = np.zeros(len(values) + 1, np.int32)
    column[1:][known] = codes + 1
    return column, [str(int(word)) for word in words]


def _warnings(state: State, of_items: Mapping[str, int]) -> list[str]:
    """What a user should know of the values."""
    found = []
    for name, (count, _) in state.conflicts.items():
        found.append(f"{name} differs between rows of {count:,} users: the first row is taken.")
    for name, count in of_items.items():
        if count:
            found.append(f"{name} differs between rows of {count:,} items: the first is taken.")
    for name, count in state.overflowed.items():
        if count:
            found.append(f"{name} overflowed in {count:,} of {state.rows:,} rows: missing there.")
    for label, count in state.unobserved.items():
        if count:
            found.append(
                f"Label {label} is {NULL} in {count:,} of {state.rows:,} rows: not observed there."
            )
    return found
