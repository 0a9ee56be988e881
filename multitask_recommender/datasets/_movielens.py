"""The files of the MovieLens releases. Imports polars: `movielens.read` imports this when needed.

Three families: `u.*` (100k; tab or bar separated, Latin-1), `*.dat` (1m, 10m; `::`) and `*.csv`
(the others; a header, quoted titles). Ratings, up to 32M rows, are parsed by polars and searched
line by line only when they are faulty; the files of users and films are short.
"""

import dataclasses
import functools
import pathlib

import numpy as np
import polars as pl

from multitask_recommender.datasets import _columns, _files, _movielens_catalogue
from multitask_recommender.datasets._stars import likes
from multitask_recommender.errors import DataError
from multitask_recommender.interactions import Entities, Feature, Interactions, Source
from multitask_recommender.schema import PARTS, TEST, TRAIN

_WHOLE_STARS = (1.0, 2.0, 3.0, 4.0, 5.0)
_HALF_STARS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0)
_NAMES = ("user", "item", "rating", "seconds")


@dataclasses.dataclass(frozen=True)
class _Format:
    """How a release writes its files."""

    separator: str
    stars: tuple[float, ...]
    ratings: tuple[str, ...]  # file names, the first that exists is read
    items: str
    users: str | None = None
    header: str | None = None  # of the ratings


_CSV = _Format(
    ",", _HALF_STARS, ("ratings.csv",), "movies.csv", header="userId,movieId,rating,timestamp"
)
_FORMATS = {
    "100k": _Format("\t", _WHOLE_STARS, ("u.data",), "u.item", "u.user"),
    "1m": _Format(
        "::",
        _WHOLE_STARS,
        ("ratings.dat", "ratings_no_timestamp.dat"),
        "movies.dat",
        "users.dat",
    ),
    "10m": _Format("::", _HALF_STARS, ("ratings.dat",), "movies.dat"),
}


def read_folder(
    folder: pathlib.Path, variant: str, fold: str | None, max_rows: int | None
) -> Interactions:
    """Reads one release; its films and users, where it lists them, are the catalogue."""
    layout = _FORMATS.get(variant, _CSV)
    ratings = _ratings_files(folder, layout, fold)
    catalogue = _files.require_files(
        folder, [name for name in (layout.items, layout.users) if name]
    )
    if fold is None:
        frame = _read_ratings(ratings[0], layout, max_rows)
    else:
        parts = [PARTS.index(TRAIN), PARTS.index(TEST)]
        frames = [
            _read_ratings(path, layout).with_columns(pl.lit(part, pl.Int8).alias(_columns.PART))
            for path, part in zip(ratings, parts, strict=True)
        ]
        frame = _columns.first_rows(pl.concat(frames), max_rows)
    films = _movielens_catalogue.read_films(catalogue[0], layout.separator)
    people = pl.DataFrame({"id": []})
    if layout.users:
        people = _movielens_catalogue.read_people(catalogue[1], layout.separator)
    source = Source(f"movielens {variant}", _files.checksums([*ratings, *catalogue]))
    return _interactions(frame, people, films, source)


def _interactions(
    frame: pl.DataFrame, people: pl.DataFrame, films: pl.DataFrame, source: Source
) -> Interactions:
    users, user_ids = _entities(frame["user"], people)
    items, item_ids = _entities(frame["item"], films)
    stars = frame["rating"].cast(pl.Float32).to_numpy()
    return Interactions(
        user_ids=user_ids,
        item_ids=item_ids,
        users=users,
        items=items,
        labels={"like": likes(stars), "rating": stars},
        timestamps=frame["seconds"].to_numpy() if "seconds" in frame.columns else None,
        parts=frame[_columns.PART].to_numpy() if _columns.PART in frame.columns else None,
        source=source,
    )


def _entities(ids: pl.Series, catalogue: pl.DataFrame) -> tuple[Entities, np.ndarray]:
    dense, raw = _columns.dense_ids(ids, catalogue["id"].cast(pl.Int64))
    features: dict[str, Feature] = {
        name: _columns.feature(catalogue[name], len(raw))
        for name in catalogue.columns
        if name != "id"
    }
    return Entities(_columns.raw_array(raw), len(catalogue), features), dense


def _ratings_files(folder: pathlib.Path, layout: _Format, fold: str | None) -> list[pathlib.Path]:
    if fold is not None:
        return _files.require_files(folder, [f"{fold}.base", f"{fold}.test"])
    names = [name for name in layout.ratings if (folder / name).is_file()]
    return _files.require_files(folder, names[:1] or layout.ratings[:1])


def _read_ratings(path: pathlib.Path, layout: _Format, max_rows: int | None = None) -> pl.DataFrame:
    """Columns user, item, rating and, where there is a clock, seconds; in the file's order."""
    names = _NAMES[:3] if path.stem.endswith("no_timestamp") else _NAMES
    skip = _skip_header(path, layout)
    try:
        frame = _parsed(path, layout, names, skip, max_rows)
        complaint = "no ratings as expected"
    except pl.exceptions.PolarsError as error:
        frame, complaint = None, str(error).split("\n")[0]
    if frame is None or not _is_sound(frame, names, layout):
        fault_of = functools.partial(_fault, layout=layout, names=names)
        _files.check_lines(path, fault_of, skip, max_rows)
        # No line is at fault but, perhaps, blank ones, of which polars makes rows.
        frame = None if frame is None else frame.drop_nulls(list(names))
        if frame is None or not _is_sound(frame, names, layout):
            raise DataError(f"{path}: {complaint}.")
    if frame.is_empty():
        raise DataError(f"{path} is empty: no ratings in it.")
    return frame.select(names)


def _parsed(
    path: pathlib.Path, layout: _Format, names: tuple[str, ...], skip: int, max_rows: int | None
) -> pl.DataFrame:
    # polars knows separators of one character: with ':' for '::', every other column is empty.
    has_gaps = len(layout.separator) == 2
    schema = {}
    for name in names:
        schema[name] = pl.Float64 if name == "rating" else pl.Int64
        schema |= {f"after {name}": pl.String} if has_gaps and name != names[-1] else {}
    return pl.read_csv(
        path,
        has_header=False,
        skip_lines=skip,
        separator=layout.separator[0],
        schema=schema,
        missing_columns="insert",  # or a blank first line would not be read
        quote_char=None,
        n_rows=max_rows,
    )


def _skip_header(path: pathlib.Path, layout: _Format) -> int:
    """How many lines to skip, after a check that they are the header."""
    if layout.header is None:
        return 0
    with path.open("rb") as file:
        first = file.readline(1_000).decode("utf-8-sig", errors="replace").rstrip("\r\n")
    if not first:
        raise DataError(f"{path} is empty: no ratings in it.")
    if first != layout.header:
        raise DataError(
            f"{path} line 1: the header is {_files.shortened(first)}, expected {layout.header}."
        )
    return 1


def _is_sound(frame: pl.DataFrame, names: tuple[str, ...], layout: _Format) -> bool:
    gaps = [name for name in frame.columns if name not in names]
    return bool(
        all(frame[name].null_count() == 0 for name in names)
        and all(frame[name].null_count() == len(frame) for name in gaps)
        and frame["rating"].is_in(layout.stars).all()
    )


def _fault(line: str, layout: _Format, names: tuple[str, ...]) -> str | None:
    """What is wrong with a line of ratings, if anything is."""
    fields = line.removeprefix("\ufeff").split(layout.separator)
    if len(fields) != len(names):
        return (
            f"{len(fields)} columns, expected {len(names)} ({', '.join(names)}) separated by "
            f"{layout.separator!r}: {_files.shortened(line)}."
        )
    for name, text in zip(names, fields, strict=True):
        if name != "rating" and not _files.is_int64(text):
            return f"{name} is {_files.shortened(text)}, expected a whole number of 64 bits."
        if name == "rating" and not _is_star(text, layout.stars):
            return f"rating is {_files.shortened(text)}, {_expected(layout.stars)}."
    return None


def _is_star(text: str, stars: tuple[float, ...]) -> bool:
    try:
        return text == text.strip() and float(text) in stars
    except ValueError:
        return False


def _expected(stars: tuple[float, ...]) -> str:
    return f"expected stars: {', '.join(f'{star:g}' for star in stars)}"
