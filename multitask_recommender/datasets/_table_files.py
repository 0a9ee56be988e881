"""The files of a table: which there are, their columns, and where a row of them is. Uses polars.

CSV and TSV are read as text, so that ids such as `007` stay what they are; types are found
afterwards.
"""

import csv
import dataclasses
import pathlib
from collections.abc import Iterator

import polars as pl

from multitask_recommender.datasets import _columns, _files
from multitask_recommender.errors import DataError, suggestion
from multitask_recommender.schema import PARTS, TEST, TRAIN

_SEPARATORS = {".csv": ",", ".tsv": "\t"}  # of the columns of text
_SUFFIXES = (*_SEPARATORS, ".parquet")
_FILE, _ROW = "__file__", "__row__"  # where a row of a frame came from
_BLANK = "__blank__"  # no value in any column: polars makes such a row of a blank line


@dataclasses.dataclass(frozen=True)
class Table:
    """The wanted columns of some files, one below the other."""

    files: list[pathlib.Path]
    frame: pl.DataFrame

    @property
    def is_text(self) -> bool:
        return self.files[0].suffix in _SEPARATORS

    def place(self, row: int) -> str:
        """The file and line of a row of the frame, for messages."""
        path = self.files[self.frame[_FILE][row]]
        number = self.frame[_ROW][row]
        if path.suffix not in _SEPARATORS:
            return f"{path} row {number + 1}"
        for index, (line, _) in enumerate(_csv_rows(path)):
            if index == number:
                return f"{path} line {line}"
        return f"{path} row {number + 1}"


def find(path: str, key: str) -> list[pathlib.Path]:
    """The file, or the files of a folder by name; given parts in their own order."""
    place = pathlib.Path(path).expanduser()
    if place.is_file():
        if place.suffix not in _SUFFIXES:
            raise DataError(f"{key} is {path}: expected a .csv, .tsv or .parquet file.")
        return [place]
    if not place.is_dir():
        raise DataError(f"{key} is {path}: no such file or folder.")
    files = sorted(file for file in place.iterdir() if file.suffix in _SUFFIXES)
    if not files:
        raise DataError(f"{key} is {path}: the folder has no .csv, .tsv or .parquet files.")
    if len({file.suffix for file in files}) > 1:
        names = ", ".join(file.name for file in files[:6])
        raise DataError(f"{key} is {path}: files of several kinds side by side ({names}).")
    return sorted(files, key=lambda file: PARTS.index(file.stem)) if has_parts(files) else files


def has_parts(files: list[pathlib.Path]) -> bool:
    """Whether the files are a given split."""
    stems = {file.stem for file in files}
    return {TRAIN, TEST} <= stems <= set(PARTS)


def column_names(path: pathlib.Path) -> list[str]:
    try:
        return _scan(path).collect_schema().names()
    except pl.exceptions.NoDataError:
        raise DataError(f"{path} is empty.") from None
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{path} cannot be read: {_first_line(error)}") from error


def require_columns(path: pathlib.Path, wanted: list[tuple[str, str]]) -> None:
    """DataError, naming what is there, for a missing column; `wanted` is (config key, name)."""
    known = column_names(path)
    for key, name in wanted:
        if name not in known:
            raise DataError(
                f"{key} is {name!r}, but {path} has no such column.{suggestion(name, known)} "
                f"Columns: {', '.join(known)}."
            )


def read(files: list[pathlib.Path], columns: list[str], max_rows: int | None = None) -> Table:
    """These columns of all files; with given parts, a column PART besides."""
    frames: list[pl.DataFrame] = []
    left = max_rows
    for index, path in enumerate(files):
        limit = None if has_parts(files) else left
        frame = _read_file(path, columns, limit)
        frame = frame.with_columns(pl.lit(index, pl.Int32).alias(_FILE))
        if has_parts(files):
            part = pl.lit(PARTS.index(path.stem), pl.Int8)
            frame = frame.with_columns(part.alias(_columns.PART))
        frames.append(frame)
        left = None if left is None else left - len(frame)
        if left is not None and left <= 0 and not has_parts(files):
            break
    try:
        whole = pl.concat(frames, how="vertical_relaxed")
    except pl.exceptions.PolarsError as error:
        raise DataError(
            f"{files[0].parent}: the files do not agree on the types of their columns: "
            f"{_first_line(error)}"
        ) from error
    if whole.is_empty():
        raise DataError(f"{files[0]} is empty: it has columns, but no rows.")
    return Table(files, _columns.first_rows(whole, max_rows))


def _scan(path: pathlib.Path) -> pl.LazyFrame:
    if path.suffix == ".parquet":
        return pl.scan_parquet(path)
    return pl.scan_csv(path, infer_schema=False, separator=_SEPARATORS[path.suffix])


def _read_file(path: pathlib.Path, columns: list[str], limit: int | None) -> pl.DataFrame:
    names = column_names(path)
    rows = _scan(path).with_row_index(_ROW)
    if path.suffix in _SEPARATORS:
        # It looks at every column: polars sees too long a row only if it reads all of them.
        blank = pl.all_horizontal(pl.col(name).is_null() for name in names)
        rows = rows.with_columns(blank.alias(_BLANK))
    else:
        rows = rows.with_columns(pl.lit(False).alias(_BLANK))
    rows = rows.select(_ROW, _BLANK, *dict.fromkeys([*columns, names[-1]]))
    try:
        frame = (rows if limit is None else rows.head(limit)).collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        if path.suffix in _SEPARATORS:
            _check_width(path, len(names))
        raise DataError(f"{path} cannot be read: {_first_line(error)}") from error
    # Too short a row, polars fills up without a word.
    may_be_short = path.suffix in _SEPARATORS and frame[names[-1]].null_count() > 0
    if may_be_short and _has_short_lines(path, len(names)):
        _check_width(path, len(names))
    return frame.filter(~pl.col(_BLANK)).select(_ROW, *dict.fromkeys(columns))


def _has_short_lines(path: pathlib.Path, width: int) -> bool:
    """Whether a line is too short. It may yet be half of a quoted text with a line break."""
    lines = pl.scan_csv(
        path,
        has_header=False,
        separator="\x1f",
        quote_char=None,
        schema={"line": pl.String},
        truncate_ragged_lines=True,
    )
    separator = _SEPARATORS[path.suffix]
    few = pl.col("line").str.count_matches(separator, literal=True) < width - 1
    return bool(lines.select(few.any()).collect().item())


def _check_width(path: pathlib.Path, width: int) -> None:
    for line, fields in _csv_rows(path):
        if fields and len(fields) != width:
            found = _files.shortened(",".join(fields))
            raise DataError(
                f"{path} line {line}: {len(fields)} columns, expected {width}: {found}."
            )
        for text in fields:
            if not text.isprintable() and any("\udc80" <= letter <= "\udcff" for letter in text):
                found = _files.shortened(text)
                raise DataError(f"{path} line {line}: {found} is not UTF-8 text.")


def _csv_rows(path: pathlib.Path) -> Iterator[tuple[int, list[str]]]:
    """The rows after the header with the line each ends in; slow, to find faults with."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file, delimiter=_SEPARATORS[path.suffix])
        try:
            next(reader, None)
            for fields in reader:
                yield reader.line_num, fields
        except csv.Error as error:
            raise DataError(f"{path} line {reader.line_num}: {error}.") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
