"""The folder of a run: complete or absent.

Work happens in `DIR.partial`, which the same command resumes, and is renamed to `DIR` at the end.
"""

import contextlib
import csv
import datetime
import fcntl
import hashlib
import json
import os
import pathlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from multitask_recommender import differences
from multitask_recommender.errors import ConfigError, RunError

CONFIG, METRICS, HISTORY = "config.yaml", "metrics.json", "history.csv"
CHECKPOINTS, TENSORBOARD = "checkpoints", "tensorboard"
CURVES, GATES = "curves.png", "gates.png"
CHECKSUMS = "checksums.json"  # sha256 of the files that comparisons read, by name
EXPORT = "export"  # its versions: the base path of a model, for servers
LOCK = ".lock"
UNFINISHED = ".partial"  # the end of the name of a folder in which work goes on


def fresh(name: str) -> pathlib.Path:
    """A folder that no other run has: the time, the name, and a little chance."""
    time = f"{datetime.datetime.now():%Y%m%d-%H%M%S}"
    return pathlib.Path("runs") / f"{time}-{name}-{secrets.token_hex(2)}"


def check_absent(run_dir: pathlib.Path) -> None:
    """Raises ConfigError if there is something at `run_dir`: a run is never written over."""
    if run_dir.exists():
        raise ConfigError(f"{run_dir} exists: choose another --run-dir, or remove it.")
    check_writable(run_dir)


def check_writable(path: pathlib.Path) -> None:
    """Raises ConfigError where nothing can be written at `path`, before any work is done for it."""
    if path.is_dir():
        raise ConfigError(f"{path} is a folder, expected the name of a file to write.")
    parent = next(parent for parent in path.absolute().parents if parent.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise ConfigError(f"{path} cannot be written: {parent} is no folder to write in.")


def check_complete(run_dir: pathlib.Path) -> None:
    """Raises ConfigError unless `run_dir` is a finished run."""
    if not (run_dir / METRICS).exists() or not (run_dir / CONFIG).exists():
        partial = _partial(run_dir)
        hint = f" {partial} is unfinished: train again to resume it." if partial.exists() else ""
        fault = f"is not a run: it holds no {METRICS} with its {CONFIG}"
        raise ConfigError(f"{run_dir} {fault if run_dir.exists() else 'does not exist'}.{hint}")


@contextlib.contextmanager
def open_partial(run_dir: pathlib.Path, config_text: str) -> Iterator[pathlib.Path]:
    """The folder to work in; leaving the block without an error completes the run.

    Raises ConfigError if the folder was begun with another config or other data, and RunError if
    another process is at work in it.
    """
    check_absent(run_dir)
    partial = _partial(run_dir)
    partial.mkdir(parents=True, exist_ok=True)
    with locked(partial):
        check_absent(run_dir)  # another process may have completed it just now
        if not (partial / CONFIG).exists():
            write_text(partial / CONFIG, config_text)
        check_same_config(partial, config_text)
        yield partial
        partial.rename(run_dir)
        (run_dir / LOCK).unlink()


def check_same_config(folder: pathlib.Path, config_text: str) -> None:
    """Raises ConfigError, which tells the differences, where a run has another resolved config."""
    text = (folder / CONFIG).read_text()
    if text == config_text:
        return
    try:
        told = differences.told(yaml.safe_load(text), yaml.safe_load(config_text))
    except (yaml.YAMLError, AttributeError) as error:
        told = f"its {CONFIG} is damaged ({error})"
    raise ConfigError(
        f"{folder} was begun with another config, other data or other versions: "
        f"{told or 'they are the same, written otherwise'}. Remove the folder or choose another "
        "--run-dir."
    )


def write_text(path: pathlib.Path, text: str) -> None:
    """Written aside and renamed, so that the file is whole or absent."""
    with aside(path) as unfinished:
        unfinished.write_text(text)


def write_json(path: pathlib.Path, value: Mapping[str, Any]) -> None:
    """NaN is refused: what was not computed is left out."""
    write_text(path, json.dumps(value, indent=1, allow_nan=False) + "\n")


def read_history(path: pathlib.Path) -> list[dict[str, str]]:
    """Rows of a HISTORY, as text; training/history.py writes it."""
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def write_checksums(folder: pathlib.Path, names: Sequence[str]) -> None:
    """Of the files of these names that are there."""
    found = [name for name in names if (folder / name).exists()]
    write_json(folder / CHECKSUMS, {name: sha256(folder / name) for name in found})


def check_untampered(run_dir: pathlib.Path) -> dict[str, str]:
    """The checksums of a run. Raises RunError where a file is not what the run wrote."""
    path = run_dir / CHECKSUMS
    if not path.exists():
        raise RunError(
            f"{run_dir} has no {CHECKSUMS}, which runs have since they can be compared in pairs: "
            "train it again, with its own config.yaml."
        )
    checksums = json.loads(path.read_text())
    for name, expected in checksums.items():
        file = run_dir / name
        found = sha256(file) if file.exists() else "no file"
        if found != expected:
            raise RunError(
                f"{file} is not what the run wrote: {found[:16]}, but {CHECKSUMS} has "
                f"{expected[:16]}. It was changed or is damaged: restore it, or train again."
            )
    return checksums


def sha256(path: pathlib.Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _partial(run_dir: pathlib.Path) -> pathlib.Path:
    return run_dir.with_name(run_dir.name + UNFINISHED)


@contextlib.contextmanager
def aside(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A place to write to, which becomes `path` unless that fails.

    Raises RunError, which names `path`, where the disk does not take it.
    """
    unfinished = path.with_name(path.name + UNFINISHED)
    try:
        yield unfinished
        unfinished.replace(path)
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        unfinished.unlink(missing_ok=True)


def flush(folder: pathlib.Path) -> None:
    """To the disk, so that a machine that stops does not leave whole names of empty files."""
    for path in (folder, *folder.rglob("*")):
        file = os.open(path, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


@contextlib.contextmanager
def locked(folder: pathlib.Path, work: str = "training") -> Iterator[None]:
    """Raises RunError if another process is at such work in the folder."""
    with open(folder / LOCK, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RunError(f"Another {work} is at work in {folder}.") from error
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def is_locked(folder: pathlib.Path) -> bool:
    """Whether a process is at work in the folder."""
    try:
        with open(folder / LOCK) as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
