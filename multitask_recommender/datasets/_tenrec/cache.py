"""The prepared columns of a file of Tenrec: found, made where they are not, and proved whole.

They lie in a folder that is complete or absent: one process at a time makes them, in a folder
`.partial` beside it. A cache is used if the file has the size and time that it had, or else the
same content; if each column has the size and time that it was given, or else the same CRC-32; and
if it was made by this version of the reader. What falls short is made anew.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape

from multitask_recommender import run_folder
from multitask_recommender.datasets._tenrec import column_files, prepare
from multitask_recommender.datasets._tenrec.prepare import File
from multitask_recommender.datasets._tenrec.saved_state import READER
from multitask_recommender.errors import DataError

_ABOUT = "about.json"
_HIDDEN, _OWN = ".multitask_recommender", "multitask_recommender"


def opened(file: File, folder: str | None) -> tuple[dict[str, np.ndarray], Mapping[str, Any]]:
    """The columns by name, mapped into memory, and what `prepare.py` said of them.

    Raises DataError where the file is faulty, or no place can hold the columns.
    """
    faults = []
    for place in sorted(_places(file, folder), key=lambda place: not (place / _ABOUT).exists()):
        try:
            with _locked(place):
                return _current(file, place) or _prepared(file, place)
        except OSError as error:
            faults.append(f"{place.parent} ({error.strerror or error})")
            _say(f"Nothing can be prepared in {faults[-1]}.")
    raise DataError(
        f"The columns of {file.path} cannot be kept in {' nor in '.join(faults)}: name a folder "
        "with room for them in dataset.cache."
    )


def _places(file: File, folder: str | None) -> list[pathlib.Path]:
    """Where the cache may be, the best place first."""
    name = f"{file.path.stem}.{file.layout.scenario}"
    name += "" if file.max_rows is None else f".first-{file.max_rows}"
    path = os.path.abspath(file.path).encode()
    name_anywhere = f"{name}-{hashlib.md5(path, usedforsecurity=False).hexdigest()[:8]}"
    if folder is not None:
        return [pathlib.Path(folder).expanduser() / name_anywhere]
    home = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return [file.path.parent / _HIDDEN / name, home / _OWN / name_anywhere]


@contextlib.contextmanager
def _locked(place: pathlib.Path) -> Iterator[None]:
    """For one process at a time; the system frees what a dead one held."""
    is_new = not place.parent.exists()
    place.parent.mkdir(parents=True, exist_ok=True)
    path = place.with_name(place.name + ".lock")
    lock = _acquired(path, place)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # a place that can only be read
            path.unlink()
        os.close(lock)
        if is_new:
            with contextlib.suppress(OSError):  # there is something in it now
                place.parent.rmdir()


def _acquired(path: pathlib.Path, place: pathlib.Path) -> int:
    while True:
        try:
            lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError:
            if not (place / _ABOUT).exists():
                raise
            return os.open(place / _ABOUT, os.O_RDONLY)  # nobody writes here
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"Another process is preparing {place}: waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), path.stat()):
                return lock
        os.close(lock)  # its owner has taken the file away: others lock another by now


def _current(
    file: File, place: pathlib.Path
) -> tuple[dict[str, np.ndarray], Mapping[str, Any]] | None:
    """The columns that are there; None where there are none, or none to be trusted."""
    try:
        about = json.loads((place / _ABOUT).read_text())
    except FileNotFoundError:
        return None
    except ValueError:
        about = {}
    try:
        fault = _fault(file, place, about)
        columns = {} if fault else _mapped(place, about)
    except (FileNotFoundError, KeyError, TypeError, ValueError) as error:
        fault = f"it is damaged ({type(error).__name__}: {error})"
    if fault:
        _say(f"{place} is made anew: {fault}.")
        return None
    return columns, about


def _fault(file: File, place: pathlib.Path, about: dict[str, Any]) -> str | None:
    """Why the cache is not to be used."""
    if about.get("reader") != READER:
        return f"it is of version {about.get('reader')} of the reader, this is {READER}"
    found = file.path.stat()
    if found.st_size != about["file"]["bytes"]:
        return f"{file.path} has changed from {about['file']['bytes']:,} to {found.st_size:,} bytes"
    if found.st_mtime_ns != about["file"]["mtime_ns"]:
        if prepare.md5(file.path, about["read_bytes"]) != about["md5"]:
            return f"{file.path} has changed"
        about["file"]["mtime_ns"] = found.st_mtime_ns
        with contextlib.suppress(OSError):  # a place that can only be read
            run_folder.write_json(place / _ABOUT, about)
    for name, column in about["columns"].items():
        path = place / f"{name}.npy"
        if path.stat().st_size != column_files.size(column):
            return f"{path.name} has {path.stat().st_size:,} bytes, not those that were written"
        is_touched = path.stat().st_mtime_ns != column["mtime_ns"]
        if is_touched and not column_files.holds(path, column):
            return f"{path.name} is not what was written"
    return None


def _mapped(place: pathlib.Path, about: Mapping[str, Any]) -> dict[str, np.ndarray]:
    columns = {}
    for name, column in about["columns"].items():
        values = column_files.mapped(place / f"{name}.npy")
        if [values.dtype.str, *values.shape] != column["form"]:
            raise ValueError(f"{name} is {values.dtype.str} {values.shape}")
        columns[name] = values
    return columns


def _prepared(file: File, place: pathlib.Path) -> tuple[dict[str, np.ndarray], Mapping[str, Any]]:
    """Makes the cache, or goes on making it."""
    partial = place.with_name(place.name + ".partial")
    partial.mkdir(exist_ok=True)
    before, started = file.path.stat(), time.perf_counter()
    try:
        _check_room(file, partial)
        about = prepare.prepare(file, partial)
        after = file.path.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise DataError(f"{file.path} changed while it was read: wait until it is whole.")
    except (DataError, OSError):
        shutil.rmtree(partial, ignore_errors=True)  # nothing that could be gone on with
        raise
    about |= {
        "reader": READER,
        "file": {"bytes": before.st_size, "mtime_ns": before.st_mtime_ns},
        "columns": {name: _signed(partial, name, of) for name, of in about["columns"].items()},
    }
    run_folder.write_json(partial / _ABOUT, about)
    if place.exists():
        shutil.rmtree(place)
    partial.rename(place)
    seconds = time.perf_counter() - started
    _say(f"Prepared {about['rows']:,} rows of {file.path.name} in {seconds:.1f} s: {place}")
    return _mapped(place, about), about


def _check_room(file: File, folder: pathlib.Path) -> None:
    """Raises OSError where the columns will not fit, as far as can be told from the first lines."""
    with file.path.open("rb") as stream:
        first = stream.read(1 << 16)
    rows = file.path.stat().st_size * max(1, first.count(b"\n")) // len(first)
    rows = rows if file.max_rows is None else min(rows, file.max_rows)
    # Ids of users, items (and, for a while, their numbers) and rows take 4 bytes each.
    row_bytes = 16 + len(file.layout.labels) + 4 * len(file.layout.of_rows)
    held = sum(path.stat().st_size for path in folder.iterdir())  # of work to go on with
    missing = rows * row_bytes - held - shutil.disk_usage(folder).free
    if missing > 0:
        raise OSError(errno.ENOSPC, f"{-(-missing // 2**20):,} MiB too little room")


def _signed(folder: pathlib.Path, name: str, proof: Mapping[str, int]) -> dict[str, Any]:
    path = folder / f"{name}.npy"
    values = column_files.mapped(path)
    form = [values.dtype.str, *values.shape]
    return {**proof, "mtime_ns": path.stat().st_mtime_ns, "form": form}


def _say(text: str) -> None:
    Console().print(escape(text), highlight=False, soft_wrap=True)
