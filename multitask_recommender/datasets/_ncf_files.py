"""The files in the form of NCF: finding them, and their numbers; see `ncf`."""

import functools
import pathlib
import re

import numpy as np

from multitask_recommender.datasets import _files, _number_files
from multitask_recommender.errors import DataError

_PATTERNS = {  # of file names: train, test, negatives
    "*.train.rating": r".+\.train(\..+)?\.(rating|tsv)",
    "*.test.rating": r".+\.test(\..+)?\.(rating|tsv)",
    "*.test.negative": r".+\.test\.negative",
}
_NAMES = ("user", "item", "rating", "timestamp")
WIDEST = len(_NAMES)
_NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)", re.ASCII)
_NEGATIVES = re.compile(rb"\(\d+,\d+\)[ \t][\d \t]*")  # a line of them
_REMEDY = "Correct the line, or take it out."


def find(folder: pathlib.Path, variant: str) -> list[pathlib.Path]:
    """The files of train, test and negatives; where a folder has several of a kind, the variant's.

    Raises DataError unless there is one of each.
    """
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    paths = []
    for kind, pattern in _PATTERNS.items():
        found = [name for name in names if re.fullmatch(pattern, name)]
        if len(found) > 1:
            found = [name for name in found if name.startswith(f"{variant}.")] or found
        if len(found) > 1:
            raise DataError(
                f"{folder} holds {len(found)} files {kind}: {', '.join(found)}. Leave one of them "
                f"there, or set dataset.variant, which is {variant}, to what its name begins with."
            )
        paths += [folder / found[0]] if found else _files.require_files(folder, [kind])
    return paths


def read_ratings(path: pathlib.Path) -> np.ndarray:
    """User, item, rating [n, 3], or timestamps too [n, 4]; float64 where some have a fraction."""
    numbers = _number_files.parse(_number_files.text_of(path), marks=b".-")
    if numbers is not None and not len(numbers.values):
        raise DataError(f"{path} is empty: no ratings in it.")
    rows = None if numbers is None else _rows(numbers)
    if rows is not None and _is_sound(rows):
        return rows
    _files.check_lines(path, functools.partial(_rating_fault, width=_first_width(path)))
    raise DataError(f"{path}: not only numbers, tabs and line ends.")


def _rows(numbers: _number_files.Numbers) -> np.ndarray | None:
    """The numbers by line; None where lines differ in length, or have too few or too many."""
    counts = np.bincount(numbers.lines)
    width = counts.max()
    if width not in (WIDEST - 1, WIDEST) or not np.isin(counts, [0, width]).all():
        return None
    return numbers.values.reshape(-1, width)


def _is_sound(rows: np.ndarray) -> bool:
    ids = rows[:, :2]
    return bool((ids >= 0).all() and (ids % 1 == 0).all() and (rows < _number_files.LIMIT).all())


def _first_width(path: pathlib.Path) -> int:
    """How many columns a faulty file is to have: as its first line, if that has the last one."""
    first = _number_files.text_of(path).lstrip().partition(b"\n")[0]
    return WIDEST if len(first.split()) == WIDEST else WIDEST - 1


def _rating_fault(line: str, width: int) -> str | None:
    """What is wrong with a line, if anything is."""
    fields = _number_files.fields(line)
    names = _NAMES[:width]
    if len(fields) != width:
        return (
            f"{len(fields)} columns, expected {width} ({', '.join(names)}) with tabs between: "
            f"{_files.shortened(line)}. {_REMEDY}"
        )
    for name, text in zip(names, fields, strict=True):
        if name in ("user", "item"):
            fault = _number_files.fault_of(name, text)
        else:
            is_number = _NUMBER.fullmatch(text) and float(text) < _number_files.LIMIT
            fault = None if is_number else f"{name} is {_files.shortened(text)}, expected a number"
        if fault is not None:
            return f"{fault}. {_REMEDY}"
    return None


def refuse_repetition(path: pathlib.Path) -> None:
    """Raises DataError for the first line of a sound file of ratings whose pair stands before."""
    pairs: set[tuple[int, int]] = set()

    def fault(line: str) -> str | None:
        user, item = (int(float(text)) for text in _number_files.fields(line)[:2])
        if (user, item) in pairs:
            return f"user {user} with item {item} stands in a line before already. Leave one."
        pairs.add((user, item))
        return None

    _files.check_lines(path, fault)


def read_negatives(path: pathlib.Path) -> tuple[np.ndarray, np.ndarray]:
    """The pair of each line [L, 2] and its negatives [L, n], -1 where there are fewer."""
    lines = [line for line in _number_files.text_of(path).split(b"\n") if line.strip()]
    if not lines:
        raise DataError(f"{path} is empty: no negatives in it.")
    numbers = None
    if all(map(_NEGATIVES.fullmatch, lines)):
        text = b"\n".join(lines).translate(bytes.maketrans(b"(,)", b"   "))
        numbers = _number_files.parse(text)
    counts = np.zeros(1) if numbers is None else np.bincount(numbers.lines)
    if counts.min() <= 2:
        _files.check_lines(path, _negatives_fault)
        raise DataError(f"{path}: not only pairs in brackets, each before its negatives.")
    table = np.full((len(counts), counts.max()), -1)
    table[np.arange(counts.max()) < counts[:, None]] = numbers.values
    return table[:, :2], table[:, 2:]


def _negatives_fault(line: str) -> str | None:
    """What is wrong with a line, if anything is."""
    pair, *negatives = _number_files.fields(line)
    if not re.fullmatch(r"\(\d{1,15},\d{1,15}\)", pair, re.ASCII):
        return f"the pair is {_files.shortened(pair)}, expected such as '(0,25)'. {_REMEDY}"
    if not negatives:
        return f"no negatives of {pair}. {_REMEDY} Then take the row out of test.rating as well."
    faults = (_number_files.fault_of("negative", text) for text in negatives)
    return next((f"{fault}. {_REMEDY}" for fault in faults if fault), None)
