"""What readers of files of whole numbers share: numbers by line, dense ids, and their parts.

Numpy reads millions of them in tenths of a second. It says that something is wrong, not where: for
that, `_files.check_lines`.
"""

import dataclasses
import pathlib
import re

import numpy as np

from multitask_recommender.datasets import _files
from multitask_recommender.schema import PARTS, TEST, TRAIN

_WHOLE_NUMBER = re.compile(r"\d{1,15}", re.ASCII)  # so many digits are exact in floats, too
_EXPECTED = "a whole number from 0 up, of at most 15 digits"
_DIGITS, _BLANKS = b"0123456789", b" \t\n"
_MAX_LENGTH = 15
LIMIT = 10**_MAX_LENGTH

Numbered = tuple[np.ndarray, list[np.ndarray]]  # distinct raw ids, and columns in dense ids


@dataclasses.dataclass(frozen=True)
class Numbers:
    """The numbers of a text, in its order."""

    values: np.ndarray  # [n] int64; float64 where some have a fraction
    lines: np.ndarray  # [n] int64, the line of each, from 0


def text_of(path: pathlib.Path) -> bytes:
    """The bytes of a file with plain ends of lines, without a mark of their order."""
    return path.read_bytes().removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")


def parse(text: bytes, marks: bytes = b"") -> Numbers | None:
    """The numbers, apart by blanks; None where there is anything but digits, blanks and `marks`
    (the point, the sign), or a number without a fraction of more than 15 characters.
    """
    kinds = np.zeros(256, np.int8)  # by character: of a number, blank, or wrong
    kinds[list(_DIGITS + marks)] = 1
    kinds[list(_BLANKS)] = 2
    characters = np.frombuffer(text, np.uint8)
    found = kinds[characters]
    if not found.all():
        return None
    edges = np.flatnonzero(np.diff(found == 1, prepend=False, append=False))
    starts, ends = edges[::2], edges[1::2]
    kind = np.float64 if b"." in text else np.int64
    if kind == np.int64 and (ends - starts).max(initial=0) > _MAX_LENGTH:
        return None
    try:
        # A leading blank would be an error, a text of nothing else a number.
        values = np.fromstring(text.strip(), kind, sep=" ") if len(starts) else np.empty(0, kind)
    except ValueError:  # 1.2.3
        return None
    if len(values) != len(starts):
        return None
    lines = np.cumsum(characters == ord("\n"))  # that end before each character, or at it
    return Numbers(values, lines[starts])


def fields(line: str) -> list[str]:
    """What stands between the blanks of a line that may be faulty."""
    return re.split(r"[ \t]+", line.removeprefix("\ufeff").strip(" \t"))


def fault_of(name: str, text: str) -> str | None:
    """What is wrong with a raw id, if anything is."""
    if _WHOLE_NUMBER.fullmatch(text):
        return None
    return f"{name} is {_files.shortened(text)}, expected {_EXPECTED}"


def numbered(*columns: np.ndarray) -> Numbered:
    """The distinct raw ids of all columns, int64 [R] ascending, and each column in dense ids."""
    raw = np.unique(np.concatenate([np.unique(column) for column in columns])).astype(np.int64)
    return raw, [(np.searchsorted(raw, column) + 1).astype(np.int32) for column in columns]


def of_both(name: str, users: Numbered, items: Numbered) -> tuple[str, ...]:
    """The warning that test pairs of the file `name` stand in train too; none where none does.

    Users and items are as `numbered`: the first columns are of train, the second of test.
    """
    keys = [
        user.astype(np.int64) * (len(items[0]) + 1) + item
        for user, item in zip(users[1][:2], items[1][:2], strict=True)
    ]
    told = np.isin(keys[1], keys[0])
    if not told.any():
        return ()
    first = int(told.argmax())
    user, item = (raw[columns[1][first] - 1] for raw, columns in (users, items))
    return (
        f"{name}: {told.sum():,} of {len(told):,} test pairs stand in train too, such as user "
        f"{user} with item {item}: models are told what they are to find.",
    )


def parts_of(num_train: int, num_test: int) -> np.ndarray:
    """The given parts [N] of rows of train, then rows of test."""
    parts = [PARTS.index(TRAIN), PARTS.index(TEST)]
    return np.repeat(np.array(parts, np.int8), [num_train, num_test])


def first_rows(parts: np.ndarray, max_rows: int | None) -> np.ndarray:
    """A mask [N] of the first rows of each part, in proportion, and of each one at the least."""
    if max_rows is None or max_rows >= len(parts):
        return np.ones(len(parts), bool)
    mask = np.zeros(len(parts), bool)
    for part in np.unique(parts):
        rows = np.flatnonzero(parts == part)
        mask[rows[: max(1, len(rows) * max_rows // len(parts))]] = True
    return mask
