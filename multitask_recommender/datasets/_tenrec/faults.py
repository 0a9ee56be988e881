"""What is wrong with a file of Tenrec, and in which line; see `tenrec`.

A line at a time, so only for a piece that is known to be faulty.
"""

import math
import pathlib
import re
from collections.abc import Iterator
from typing import NoReturn

from multitask_recommender.datasets import _files
from multitask_recommender.datasets._tenrec.files import NULL
from multitask_recommender.datasets._tenrec.layouts import Layout
from multitask_recommender.errors import DataError
from multitask_recommender.schema import USER_ID

_LARGEST_ID = 2**31 - 1
_LABEL = re.compile(r"[01]|[01]\.0|True|False")


def raise_first(
    path: pathlib.Path, lines: bytes, number: int, previous_user: int, layout: Layout
) -> NoReturn:
    """The DataError of the first fault in a piece that begins with the line of this number."""
    texts = lines.decode("utf-8", errors="backslashreplace").split("\n")
    for place, text in enumerate(texts):
        line = text.rstrip("\r")
        if not line.strip():
            continue
        fields = line.split(",")
        is_cut = place == len(texts) - 1 and len(fields) < len(layout.header)
        fault = _cut_fault(path, line, fields) if is_cut else _fault(fields, layout, previous_user)
        if fault is not None:
            raise DataError(f"{path} line {number + place}: {fault}")
        previous_user = int(fields[layout.header.index(USER_ID)])
    raise DataError(
        f"{path} lines {number} to {number + len(texts) - 1}: not the rows of a Tenrec file. "
        "Download it again."
    )


def _cut_fault(path: pathlib.Path, line: str, fields: list[str]) -> str:
    return (
        f"the file ends in the middle of a line, after {len(fields)} fields: "
        f"{_files.shortened(line)}. Its {path.stat().st_size:,} bytes are a download cut short: "
        "download it again."
    )


def _fault(fields: list[str], layout: Layout, previous_user: int) -> str | None:
    """What is wrong with a line, and what to do."""
    line = _files.shortened(",".join(fields))
    if any('"' in field for field in fields):
        return f"a quote in {line}. Tenrec's files have none: write the file without quotes."
    if len(fields) != len(layout.header):
        return (
            f"{len(fields)} fields, expected {len(layout.header)}: {line}. Download the file "
            "again, or take the line out."
        )
    values = dict(zip(layout.header, fields, strict=True))
    for name, expected in _wrong_values(values, layout):
        return (
            f"{name} is {_files.shortened(values[name])}, expected {expected}. Correct the line, "
            "or take it out."
        )
    user = int(values[USER_ID])
    if user < previous_user:
        return (
            f"user_id is {user} after {previous_user}, but a Tenrec file is in the order of its "
            "users, and their rows in the order of time, which is told by nothing else. Use the "
            "file as shipped; if only whole users changed places, sort it by user_id, stably."
        )
    return None


def _wrong_values(values: dict[str, str], layout: Layout) -> Iterator[tuple[str, str]]:
    """Columns whose value is not what is expected of it."""
    for name in (*layout.ids, *layout.history):
        lowest = 0 if name in layout.history else 1
        may_be_null = lowest == 0 and values[name] == NULL
        is_id = re.fullmatch(r"\s*\d+\s*", values[name], re.ASCII)
        if not may_be_null and not (is_id and lowest <= int(values[name]) <= _LARGEST_ID):
            yield name, f"a whole number from {lowest} to {_LARGEST_ID:,}"
    for name in layout.labels:
        if values[name] != NULL and not _LABEL.fullmatch(values[name]):
            yield name, f"0, 1, 0.0, 1.0, False, True or {NULL}"
    for name in layout.numbers:
        if values[name] == NULL:
            continue
        number = _number(values[name])
        if number is None or math.isinf(number):
            yield name, f"a number or {NULL}"
        elif name in layout.categories and number % 1 > 0:
            yield name, f"a whole number or {NULL}"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
