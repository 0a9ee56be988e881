"""What the readers of files share: finding them, their checksums, and naming the line at fault."""

import hashlib
import os
import pathlib
import re
from collections.abc import Callable, Iterable

from multitask_recommender.errors import ConfigError, DataError


def checksums(paths: Iterable[pathlib.Path]) -> dict[str, str]:
    """The md5 of each file, by its path as given."""
    return {str(path): _md5(path) for path in paths}


def _md5(path: pathlib.Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def roots() -> list[pathlib.Path]:
    """The folders in which datasets are looked for where no setting names one."""
    given = os.environ.get("MTR_DATA")
    return [*([pathlib.Path(given)] if given else []), pathlib.Path("data")]


def folder_at(path: str) -> pathlib.Path:
    """The folder that dataset.path names; nothing replaces it."""
    folder = pathlib.Path(path).expanduser()
    if not folder.is_dir():
        fault = "a file, not the folder of it" if folder.exists() else "no such folder"
        raise DataError(f"dataset.path is {path}: {fault}.")
    return folder


def find_folder(path: str | None, name: str, remedy: str) -> pathlib.Path:
    """The folder at a path or, without one, of this name in one of the roots."""
    if path is not None:
        return folder_at(path)
    places = [root / name for root in roots()]
    for folder in places:
        if folder.is_dir():
            return folder
    looked = " or ".join(map(str, places))
    raise DataError(
        f"dataset.path is not set, and there is no folder {looked}: {remedy}, or set dataset.path."
    )


def require_files(folder: pathlib.Path, names: Iterable[str]) -> list[pathlib.Path]:
    """The paths of these files of a folder; DataError names those that are missing."""
    paths = [folder / name for name in names]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        found = sorted(path.name for path in folder.iterdir())
        shown = ", ".join(found[:8]) + (", ..." if len(found) > 8 else "")
        raise DataError(
            f"{folder}: no {', '.join(missing)}. The folder holds: {shown or 'nothing'}."
        )
    return paths


def refuse_fold(fold: str | None, dataset: str) -> None:
    """For sources that have no splits of their own to choose from."""
    if fold is not None:
        raise ConfigError(f"split.fold is {fold!r}: {dataset} has no folds to choose from.")


def check_lines(
    path: pathlib.Path,
    fault_of: Callable[[str], str | None],
    skip: int = 0,
    max_lines: int | None = None,
) -> None:
    """Raises DataError for the first line that `fault_of` finds at fault; blank lines pass.

    A line at a time, so only for files already known to be faulty: the fast readers say that
    something is wrong, seldom where.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if max_lines is not None and number > skip + max_lines:
                return
            text = line.decode("utf-8", errors="backslashreplace").rstrip("\r\n")
            if number <= skip or not text.strip():
                continue
            fault = fault_of(text)
            if fault:
                raise DataError(f"{path} line {number}: {fault}")


def shortened(text: str, length: int = 60) -> str:
    """The text in quotes, cut where it is long."""
    return repr(text if len(text) <= length else f"{text[:length]}...")


def is_int64(text: str) -> bool:
    return bool(re.fullmatch(r"[+-]?\d+", text)) and -(2**63) <= int(text) < 2**63
