"""The folder of a run: complete or absent.

Work happens in `DIR.partial`, which the same command resumes, and is renamed to `DIR` at the end.
"""

import contextlib
import fcntl
import json
import os
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

from multitask_recommender.errors import ConfigError, RunError

CONFIG, METRICS, HISTORY = "config.yaml", "metrics.json", "history.csv"
CHECKPOINTS, TENSORBOARD = "checkpoints", "tensorboard"


@contextlib.contextmanager
def open_partial(run_dir: pathlib.Path, config_text: str) -> Iterator[pathlib.Path]:
    """The folder to work in; leaving the block without an error completes the run.

    Raises ConfigError if DIR exists, or if the partial folder is of another config, and RunError
    if another process is at work in it.
    """
    if run_dir.exists():
        raise ConfigError(f"{run_dir} exists: choose another --run-dir, or remove it.")
    partial = run_dir.with_name(run_dir.name + ".partial")
    partial.mkdir(parents=True, exist_ok=True)
    with _locked(partial):
        _check_same_config(partial, config_text)
        yield partial
        partial.rename(run_dir)
    (run_dir / ".lock").unlink()


def write_json(path: pathlib.Path, value: Mapping[str, Any]) -> None:
    """Written aside and renamed, so that the file is whole or absent."""
    aside = path.with_name(path.name + ".partial")
    aside.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n")
    aside.replace(path)


def read_json(path: pathlib.Path) -> dict[str, Any] | None:
    """The file's content, or None where there is no such file."""
    return json.loads(path.read_text()) if path.exists() else None


def check_complete(run_dir: pathlib.Path) -> None:
    """Raises ConfigError unless `run_dir` is a finished run."""
    if not (run_dir / METRICS).exists():
        partial = run_dir.with_name(run_dir.name + ".partial")
        hint = f" {partial} is unfinished: train again to resume it." if partial.exists() else ""
        raise ConfigError(f"{run_dir} is not a run: it holds no {METRICS}.{hint}")


def _check_same_config(partial: pathlib.Path, config_text: str) -> None:
    path = partial / CONFIG
    if not path.exists():
        aside = partial / (CONFIG + ".partial")
        aside.write_text(config_text)
        aside.replace(path)
    elif path.read_text() != config_text:
        raise ConfigError(
            f"{partial} was begun with another config, version or machine: compare its {CONFIG}, "
            "then remove the folder or choose another --run-dir."
        )


@contextlib.contextmanager
def _locked(folder: pathlib.Path) -> Iterator[None]:
    with open(folder / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RunError(f"Another training is at work in {folder}.") from error
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield
