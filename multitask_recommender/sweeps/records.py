"""What a sweep has done: a file of JSON lines, which the same command goes on with."""

import json
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

from multitask_recommender import run_folder
from multitask_recommender.config_file import shown
from multitask_recommender.errors import ConfigError

_SHOWN = 5  # differences that are named
REMEDY = "Choose another --out, or remove the folder and begin anew."


class Records:
    """A line for each training that is done, after a first one that says what they are part of.

    The file is whole at any time. A last line that was cut off is forgotten: it is made again.
    """

    def __init__(self, path: pathlib.Path, sweep: Mapping[str, Any]) -> None:
        """Raises ConfigError where the file is damaged, or of another sweep."""
        self._path = path
        self._lines = [dict(sweep)]
        if path.exists():
            self._lines = _read(path)
            check_same(path, self._lines[0], sweep)
        else:
            self._write()

    @property
    def header(self) -> dict[str, Any]:
        """What the lines are part of."""
        return self._lines[0]

    @property
    def rows(self) -> list[dict[str, Any]]:
        return self._lines[1:]

    def add(self, row: Mapping[str, Any]) -> None:
        self._lines.append(dict(row))
        self._write()

    def find(self, settings: Mapping[str, Any], seed: int) -> dict[str, Any] | None:
        """The training of these settings and this seed, if it is done."""
        rows = (row for row in self.rows if row["settings"] == settings and row["seed"] == seed)
        return next(rows, None)

    def _write(self) -> None:
        lines = [json.dumps(line, allow_nan=False) + "\n" for line in self._lines]
        run_folder.write_text(self._path, "".join(lines))


def check_same(path: pathlib.Path, there: Any, here: Any) -> None:
    """Raises ConfigError, naming the differences, where a file is of another sweep than this."""
    differences = list(_differences(there, json.loads(json.dumps(here))))
    if differences:
        more = f"; and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
        raise ConfigError(
            f"{path} is of another sweep: {'; '.join(differences[:_SHOWN])}{more}. {REMEDY}"
        )


def check_lines(path: pathlib.Path) -> list[Any]:
    """The JSON of each line. Raises ConfigError where a line is none, or is cut off."""
    lines = []
    for number, line in enumerate(path.read_bytes().splitlines(keepends=True), start=1):
        try:
            if not line.endswith(b"\n"):
                raise ValueError("cut off")
            lines.append(json.loads(line))
        except ValueError as error:
            raise ConfigError(
                f"{path}, line {number}, is damaged: {shown(line.decode(errors='replace'))}. "
                f"{REMEDY}"
            ) from error
    return lines


def _read(path: pathlib.Path) -> list[Any]:
    text = path.read_bytes()
    whole = text[: text.rfind(b"\n") + 1]
    if whole != text:
        run_folder.write_text(path, whole.decode(errors="replace"))
    return check_lines(path) or [None]


def _differences(there: Any, here: Any, at: str = "") -> Iterator[str]:
    if isinstance(there, dict) and isinstance(here, dict):
        for key in dict.fromkeys((*there, *here)):
            inner = f"{at}.{key}" if at else key
            yield from _differences(there.get(key), here.get(key), inner)
    elif there != here:
        yield f"{at or 'all of it'} is {shown(there)} there and {shown(here)} here"
