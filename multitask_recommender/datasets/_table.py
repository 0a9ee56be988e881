"""From the columns of a user's own files to Interactions. Imports polars; see `table`."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from multitask_recommender.datasets import _columns, _files, _table_files, _table_types
from multitask_recommender.datasets._table_files import Table
from multitask_recommender.errors import DataError
from multitask_recommender.interactions import Entities, Feature, Interactions, Source

if TYPE_CHECKING:
    from multitask_recommender.datasets.table import Columns, Settings

_YEAR_3000 = 32_503_680_000  # in seconds: what is later counts in other units


@dataclasses.dataclass(frozen=True)
class _Side:
    """The users, or the items: their column of ids, and where their features are."""

    word: str  # user or item
    column: str
    catalogue: Table | None
    from_catalogue: list[str]
    from_log: list[str]


def read(settings: "Settings") -> Interactions:
    columns = settings.columns
    files = _table_files.find(settings.path, "dataset.path")
    user_side = _side("user", columns.user, columns.user_features, settings.users)
    item_side = _side("item", columns.item, columns.item_features, settings.items)
    log = _read_log(settings, files, user_side, item_side)
    users, user_ids = _entities(log, user_side)
    items, item_ids = _entities(log, item_side)

    def log_features(learnt: np.ndarray) -> tuple[dict[str, Feature], ...]:
        rows = np.flatnonzero(learnt)
        return (
            _log_features(log, user_side, user_ids, len(users.raw_ids), rows),
            _log_features(log, item_side, item_ids, len(items.raw_ids), rows),
            {name: _event_feature(log, name, rows) for name in columns.of_events},
        )

    labels, observed, warnings = _labels(log, columns.labels)
    tables = [log, *(side.catalogue for side in (user_side, item_side) if side.catalogue)]
    checksums = _files.checksums(path for table in tables for path in table.files)
    return Interactions(
        user_ids=user_ids,
        item_ids=item_ids,
        users=users,
        items=items,
        labels=labels,
        observed=observed,
        timestamps=_seconds(log, columns.timestamp),
        parts=log.frame[_columns.PART].to_numpy() if _columns.PART in log.frame.columns else None,
        log_features=log_features,
        post_exposure=frozenset(columns.post_exposure),
        source=Source(f"table {settings.path}", checksums, warnings),
    )


def _side(word: str, column: str, features: list[str], path: str | None) -> _Side:
    if path is None:
        return _Side(word, column, None, [], features)
    files = _table_files.find(path, f"dataset.{word}s")
    here = [name for name in features if name in _table_files.column_names(files[0])]
    for file in files:
        wanted = [(f"dataset.columns.{word}", column)]
        wanted += [(f"dataset.columns.{word}_features", name) for name in here]
        _table_files.require_columns(file, wanted)
    catalogue = _table_files.read(files, [column, *here])
    return _Side(word, column, catalogue, here, [name for name in features if name not in here])


def _read_log(settings: "Settings", files: list, user_side: _Side, item_side: _Side) -> Table:
    wanted = list(_named(settings.columns).items())
    features = {f"{side.word}_features": side.from_log for side in (user_side, item_side)}
    features |= {key: getattr(settings.columns, key) for key in ("context", "post_exposure")}
    for key, names in features.items():
        wanted += [(f"dataset.columns.{key}", name) for name in names]
    for file in files:
        _table_files.require_columns(file, wanted)
    return _table_files.read(files, [name for _, name in wanted], settings.max_rows)


def _named(columns: "Columns") -> dict[str, str]:
    """The columns of the log by their keys in the config."""
    named = {"user": columns.user, "item": columns.item}
    named |= {} if columns.timestamp is None else {"timestamp": columns.timestamp}
    named |= {f"labels.{label}": name for label, name in columns.labels.items()}
    return {f"dataset.columns.{key}": name for key, name in named.items()}


def _entities(log: Table, side: _Side) -> tuple[Entities, np.ndarray]:
    """Dense ids [N] of the log, and the table: the catalogue, then whoever else occurs."""
    tables = [log] if side.catalogue is None else [log, side.catalogue]
    for table in tables:
        _check_present(table, side)
    ids = _table_types.same_ids([table.frame[side.column] for table in tables])
    catalogue = ids[1] if side.catalogue else ids[0].clear()
    if catalogue.is_duplicated().any():
        row = catalogue.is_duplicated().arg_max()
        raise DataError(
            f"{side.catalogue.place(row)}: {side.word} {catalogue[row]!r} is in more than one row."
        )
    dense, raw = _columns.dense_ids(ids[0], catalogue)
    features = {
        name: _columns.feature(_feature_column(side.catalogue, name), len(raw))
        for name in side.from_catalogue
    }
    return Entities(_columns.raw_array(raw), len(catalogue), features), dense


def _log_features(
    log: Table, side: _Side, ids: np.ndarray, num_ids: int, rows: np.ndarray
) -> dict[str, Feature]:
    """Of each id the last value in these rows; no other row has a say in anything."""
    features = {}
    for name in side.from_log:
        column = _feature_column(log, name, rows)
        values = pl.DataFrame({"id": ids[rows], "value": column}).drop_nulls()
        last = values.group_by("id").agg(pl.col("value").last())
        ids_in_order = pl.DataFrame({"id": np.arange(1, num_ids + 1, dtype=np.int32)})
        by_id = ids_in_order.join(last, on="id", how="left", maintain_order="left")
        features[name] = _columns.feature(by_id["value"], num_ids)
    return features


def _event_feature(log: Table, name: str, rows: np.ndarray) -> Feature:
    """A column as it is in each row. Its kind and its vocabulary are those of the given rows."""
    learnt = _feature_column(log, name, rows)
    given = log.frame[name]
    values = _table_types.as_feature(given, learnt.dtype)
    if values.dtype.is_float():
        unreadable = _unreadable(given, given.cast(pl.Float64, strict=False))
        if unreadable.any():
            row = unreadable.arg_max()
            raise DataError(
                f"{log.place(row)}: {name} is {given[row]!r}, expected a number, as the rows that "
                "are learnt from have."
            )
        _check_finite(log, name, values)
    return _columns.feature_of_rows(values, rows)


def _check_present(table: Table, side: _Side) -> None:
    values = table.frame[side.column]
    missing = values.is_null()
    if values.dtype == pl.String:
        missing |= values == ""
    if values.dtype.is_float():
        missing |= values.is_nan()
    if missing.any():
        raise DataError(
            f"{table.place(missing.arg_max())}: {side.column} is empty, every row needs its "
            f"{side.word}."
        )


def _feature_column(table: Table, name: str, rows: np.ndarray | None = None) -> pl.Series:
    """The values of some rows of a table, or of all, and what kind these show them to be."""
    values = table.frame[name] if rows is None else table.frame[name].gather(rows)
    try:
        kind = _table_types.kind_of_feature(values, table.is_text)
        values = _table_types.as_feature(values, kind)
    except pl.exceptions.PolarsError as error:
        kind = table.frame[name].dtype
        raise DataError(f"{table.files[0]}: {name} is {kind}, no kind of feature.") from error
    _check_finite(table, name, values, rows)
    return values


def _check_finite(
    table: Table, name: str, values: pl.Series, rows: np.ndarray | None = None
) -> None:
    """`values` are those of some rows of the table, or of all."""
    if values.dtype.is_float() and values.is_infinite().any():
        row = values.is_infinite().arg_max()
        row = row if rows is None else int(rows[row])
        raise DataError(f"{table.place(row)}: {name} is infinite.")


def _labels(
    log: Table, columns: dict[str, str]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], tuple[str, ...]]:
    """Values and masks by label, and a warning for each that has NaN."""
    labels, observed, warnings = {}, {}, []
    for label, column in columns.items():
        numbers = _numbers(log, column)
        is_nan = numbers.is_nan().fill_null(False)
        _check_label(log, label, column, numbers)
        if is_nan.any():
            warnings.append(
                f"Label {label} is NaN in {is_nan.sum():,} of {len(numbers):,} rows: "
                "not observed there."
            )
        mask = numbers.is_not_null() & ~is_nan
        labels[label] = numbers.fill_nan(None).fill_null(0.0).cast(pl.Float32).to_numpy()
        if not mask.all():
            observed[label] = mask.to_numpy()
    return labels, observed, tuple(warnings)


def _check_label(log: Table, label: str, column: str, numbers: pl.Series) -> None:
    values = log.frame[column]
    unreadable = _unreadable(values, numbers)
    if label == "rating":
        out_of_range = numbers.is_infinite()
        expected = "a finite number"
    else:
        out_of_range = ~(numbers.is_in([0.0, 1.0]) | numbers.is_nan())
        expected = "0, 1, true or false"
    wrong = unreadable | out_of_range.fill_null(False)
    if wrong.any():
        row = wrong.arg_max()
        raise DataError(
            f"{log.place(row)}: label {label} ({column}) is {values[row]!r}, expected {expected}."
        )


def _unreadable(values: pl.Series, numbers: pl.Series) -> pl.Series:
    """Where there is a value, but no number was made of it."""
    unreadable = numbers.is_null() & values.is_not_null()
    if values.dtype == pl.String:
        unreadable &= values != ""
    return unreadable.fill_null(False)


def _numbers(log: Table, column: str) -> pl.Series:
    try:
        return _table_types.numbers(log.frame[column])
    except pl.exceptions.PolarsError as error:
        kind = log.frame[column].dtype
        raise DataError(f"{log.files[0]}: {column} is {kind}, expected numbers.") from error


def _seconds(log: Table, column: str | None) -> np.ndarray | None:
    if column is None:
        return None
    values = log.frame[column]
    seconds = _table_types.seconds(values)
    if seconds.null_count():
        row = seconds.is_null().arg_max()
        found = "empty" if values[row] in (None, "") else repr(values[row])
        raise DataError(
            f"{log.place(row)}: {column} is {found}, expected seconds since 1970, or a date and "
            "time such as 2024-01-31T12:00:00Z. Where rows lack it, leave out "
            "dataset.columns.timestamp."
        )
    latest = seconds.max()
    if latest is not None and latest >= _YEAR_3000:
        raise DataError(
            f"{log.place(seconds.arg_max())}: {column} is {values[seconds.arg_max()]}, which in "
            "seconds is beyond the year 3000: divide milliseconds by 1000, microseconds by 1e6, "
            "nanoseconds by 1e9."
        )
    return seconds.to_numpy()
