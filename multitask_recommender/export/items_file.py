"""Reads the file of items that an export's are to be changed by. Imports polars.

A column `item` with raw ids; if need be `remove` (true, false, 1, 0, or empty for false); and
features of items by their names, several values of one being a list, or split by |.
"""

import pathlib

import numpy as np
import polars as pl

from multitask_recommender.datasets import _columns, _table_files, _table_types
from multitask_recommender.datasets._table_files import Table
from multitask_recommender.errors import DataError, suggestion
from multitask_recommender.export.changes import Listed
from multitask_recommender.export.frozen import ItemFeatureFacts

ITEM, REMOVE = "item", "remove"


def read(path: pathlib.Path, are_numbers: bool, features: dict[str, ItemFeatureFacts]) -> Listed:
    """The items of a file.

    are_numbers: whether raw ids are int64; else they are text. features: those that the model
    reads. Raises DataError, with the place, for what cannot be used.
    """
    files = _table_files.find(str(path), "--items")
    columns = list(dict.fromkeys(name for file in files for name in _names(file, features)))
    table = _table_files.read(files, columns)
    ids = _ids(table, are_numbers)
    removed = _removed(table) if REMOVE in columns else np.zeros(len(ids), bool)
    told, not_learnt = {}, {}
    for name in columns:
        if name in features:
            told[name], not_learnt[name] = _values(table, name, features[name], ~removed)
    return Listed(ids, removed, told, {name: n for name, n in not_learnt.items() if n})


def _names(path: pathlib.Path, features: dict[str, ItemFeatureFacts]) -> list[str]:
    """The columns of a file: all of them must mean something."""
    _table_files.require_columns(path, [("--items", ITEM)])
    found, known = _table_files.column_names(path), [ITEM, REMOVE, *features]
    for name in found:
        if name not in known:
            reads = ", ".join(features) or "none"
            raise DataError(
                f"{path}: {name} is no feature of items that this model reads (it reads {reads})."
                f"{suggestion(name, known)} Leave the column out."
            )
    return found


def _ids(table: Table, are_numbers: bool) -> np.ndarray:
    values = table.frame[ITEM]
    ids = values.cast(pl.String, strict=False)
    _refuse(table, ids.is_null() | (ids == ""), "is empty, every row needs its item")
    if are_numbers:
        (whole,) = _table_types.same_ids([values])
        if whole.dtype != pl.Int64:
            numbers = values.cast(pl.Int64, strict=False)
            wrong = numbers.cast(values.dtype, strict=False).ne_missing(values)
            _refuse(table, wrong, "is no whole number, as the items of this export are")
        ids = whole
        _refuse(table, ids < 0, "is negative, which no item of an export can be")
    again = ids.is_duplicated() & ~ids.is_first_distinct()
    _refuse(table, again, "is in more than one row")
    return _columns.raw_array(ids) if are_numbers else np.array(ids.to_list(), object)


def _removed(table: Table) -> np.ndarray:
    values = table.frame[REMOVE]
    numbers = _table_types.numbers(values)
    is_empty = values.is_null() if values.dtype != pl.String else values.fill_null("") == ""
    _refuse(
        table,
        ~(numbers.is_in([0.0, 1.0]).fill_null(False) | is_empty),
        "is none of true, false, 1 and 0",
        REMOVE,
    )
    return (numbers.fill_null(0.0) == 1).to_numpy()


def _values(
    table: Table, name: str, feature: ItemFeatureFacts, counted: np.ndarray
) -> tuple[np.ndarray, int]:
    """Values as the model reads them, and how many of the counted rows' are words it never met."""
    values = table.frame[name]
    if feature.vocabulary is None:
        numbers = values.cast(pl.Float32, strict=False)
        is_text = values.dtype == pl.String
        empty = values.fill_null("") == "" if is_text else values.is_null()
        _refuse(table, numbers.is_null() & ~empty, "is no number", name)
        _refuse(table, numbers.is_infinite().fill_null(False), "is infinite", name)
        return numbers.fill_null(np.nan).to_numpy(), 0
    if not feature.has_several and values.dtype in (pl.List, pl.Array):
        raise DataError(
            f"{table.files[0]}: {name} holds lists, and the model reads one value of it an item."
        )
    lists = _lists(values, feature.has_several)
    codes = {word: code for code, word in enumerate(feature.vocabulary, start=1)}
    known = [list(dict.fromkeys(codes[word] for word in row if word in codes)) for row in lists]
    width = max(1, *(len(row) for row in known))
    padded = np.array([row + [0] * (width - len(row)) for row in known], np.int32)
    missed = sum(
        word not in codes
        for row, counts in zip(lists, counted, strict=True)
        if counts
        for word in row
    )
    return padded if feature.has_several else padded[:, 0], missed


def _lists(values: pl.Series, has_several: bool) -> list[list[str]]:
    """The words of each row, without empty ones."""
    if values.dtype in (pl.List, pl.Array):
        rows = values.cast(pl.List(pl.String)).to_list()
    else:
        texts = values.cast(pl.String).fill_null("").to_list()
        rows = [text.split("|") if has_several else [text] for text in texts]
    return [[word for word in row or [] if word] for row in rows]


def _refuse(table: Table, wrong: pl.Series, fault: str, column: str = ITEM) -> None:
    """DataError for the first row where something is wrong."""
    if wrong.any():
        row = wrong.arg_max()
        raise DataError(f"{table.place(row)}: {column} {table.frame[column][row]!r} {fault}.")
