"""The films and users that the MovieLens releases list: `u.item` and its kin. Imports polars.

The files are short, so they are read a line at a time and every fault has its line.
"""

import csv
import pathlib
import re
from collections.abc import Iterator

import polars as pl

from multitask_recommender.datasets import _files
from multitask_recommender.errors import DataError

_GENRES = (  # the order of the flags in u.item, after its first flag, `unknown`
    "Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy Film-Noir "
    "Horror Musical Mystery Romance Sci-Fi Thriller War Western"
).split()
_NO_GENRES = "(no genres listed)"
# The ranges of 1m, whose codes are their lower ends; the years of 100k are put into the same.
_AGES = {0: "under 18", 18: "18-24", 25: "25-34", 35: "35-44", 45: "45-49", 50: "50-55", 56: "56+"}
_YEAR = re.compile(r"\((\d{4})[^()]*\)\s*$")
_WORD = r"[\pL\pN]+(?:'[\pL\pN]+)*"  # in the dialect of polars


def _rows(path: pathlib.Path, separator: str, width: int) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and fields of a short file, in UTF-8 or else Latin-1, but for blank lines."""
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    lines = text.split("\n")
    if separator == ",":
        numbered = _csv_rows(path, lines)
    else:
        numbered = ((n, line.rstrip("\r").split(separator)) for n, line in enumerate(lines, 1))
    for number, fields in numbered:
        if fields in ([], [""]):
            continue
        if len(fields) != width:
            found = _files.shortened(separator.join(fields))
            raise DataError(
                f"{path} line {number}: {len(fields)} columns, expected {width}: {found}."
            )
        yield number, fields


def _csv_rows(path: pathlib.Path, lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(lines)
    try:
        for fields in reader:
            yield reader.line_num, fields
    except csv.Error as error:  # a quote that is never closed, for one
        raise DataError(f"{path} line {reader.line_num}: {error}.") from error


def _with_ids(
    path: pathlib.Path, rows: Iterator[tuple[int, list[str]]]
) -> Iterator[tuple[int, list[str]]]:
    """The rows, their ids checked to be whole numbers that do not repeat."""
    lines: dict[int, int] = {}
    for number, fields in rows:
        if not _files.is_int64(fields[0]):
            found = _files.shortened(fields[0])
            raise DataError(f"{path} line {number}: id is {found}, expected a whole number.")
        first = lines.setdefault(int(fields[0]), number)
        if first != number:
            raise DataError(
                f"{path} line {number}: id {fields[0]} again, it is in line {first} already."
            )
        yield number, fields
    if not lines:
        raise DataError(f"{path} is empty.")


def read_films(path: pathlib.Path, separator: str) -> pl.DataFrame:
    """Columns id, genres, year and title (its words in lower case, without the year).

    `separator` is the one of the release's ratings: a tab for 100k, whose film file has bars and
    a column of 0 or 1 for each genre.
    """
    flags = separator == "\t"
    rows = _rows(path, *(("|", 24) if flags else (separator, 3)))
    if separator == ",":
        next(rows, None)  # the header
    films: dict[str, list] = {"id": [], "genres": [], "year": [], "title": []}
    for _, fields in _with_ids(path, rows):
        title = fields[1]
        year = _YEAR.search(title)
        if flags:
            genres = "|".join(g for g, flag in zip(_GENRES, fields[6:], strict=True) if flag == "1")
        else:
            genres = fields[2].replace(_NO_GENRES, "")
        released = fields[2][-4:] if flags else ""  # 01-Jan-1995
        films["id"].append(int(fields[0]))
        films["genres"].append(genres)
        films["year"].append(released or (year.group(1) if year else None))
        films["title"].append(_YEAR.sub("", title))
    types = {"id": pl.Int64, "genres": pl.String, "year": pl.String, "title": pl.String}
    return pl.DataFrame(films, schema=types).with_columns(
        genres=pl.col("genres").str.split("|"),
        title=pl.col("title").str.to_lowercase().str.extract_all(_WORD),
    )


def read_people(path: pathlib.Path, separator: str) -> pl.DataFrame:
    """Columns id, age (in ranges), gender and occupation (in 1m its number, as given)."""
    bar = separator == "\t"
    age, gender = (1, 2) if bar else (2, 1)
    people: dict[str, list] = {"id": [], "age": [], "gender": [], "occupation": []}
    for number, fields in _with_ids(path, _rows(path, "|" if bar else separator, 5)):
        if not fields[age].isdecimal():
            found = _files.shortened(fields[age])
            raise DataError(f"{path} line {number}: age is {found}, expected a number.")
        people["id"].append(int(fields[0]))
        people["age"].append(_AGES[max(low for low in _AGES if low <= int(fields[age]))])
        people["gender"].append(fields[gender])
        people["occupation"].append(fields[3])
    return pl.DataFrame(people, schema_overrides={"id": pl.Int64})
