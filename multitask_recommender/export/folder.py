"""The folder of an export: `<model_base_path>/<version>/`, whole or absent.

A server that polls the base path sees a version when it is complete: it is written aside, under a
name that is no number, and renamed.
"""

import contextlib
import pathlib
import re
import shutil
from collections.abc import Iterator

from multitask_recommender import run_folder
from multitask_recommender.errors import ConfigError

_ASIDE = ".partial-"
_VERSION = re.compile("[1-9][0-9]*")
MODEL_FILE = "saved_model.pb"
EXTRA = "assets.extra"  # of a version: what servers and people read beside the SavedModel


@contextlib.contextmanager
def new_version(base: pathlib.Path) -> Iterator[tuple[int, pathlib.Path]]:
    """The next version under the base path, and the folder to write it in.

    Leaving the block without an error makes it visible. What an export that was killed left behind
    is removed. Raises ConfigError where nothing can be written, RunError where another export is at
    work.
    """
    run_folder.check_writable(base / run_folder.LOCK)
    base.mkdir(parents=True, exist_ok=True)
    with run_folder.locked(base, "export"):
        for left in base.glob(f"{_ASIDE}*"):
            shutil.rmtree(left)
        version = max(versions(base), default=0) + 1
        aside = base / f"{_ASIDE}{version}"
        try:
            yield version, aside
            run_folder.flush(aside)
            aside.rename(base / str(version))
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def versions(base: pathlib.Path) -> list[int]:
    """Those that are there, ascending."""
    if not base.is_dir():
        return []
    return sorted(int(path.name) for path in base.iterdir() if _VERSION.fullmatch(path.name))


def name_of(base: pathlib.Path) -> str:
    """What a model at this base path is called: as the folder, or the run whose `export` it is."""
    folder = base.absolute()
    if folder.name != run_folder.EXPORT:
        return folder.name
    return folder.parent.name.removesuffix(run_folder.UNFINISHED)


def is_export(path: pathlib.Path) -> bool:
    """Whether it is a version, or holds one."""
    return (path / MODEL_FILE).exists() or bool(versions(path))


def latest(path: pathlib.Path) -> pathlib.Path:
    """The folder of a version: the path itself, or the highest version under it.

    Raises ConfigError where there is none.
    """
    if (path / MODEL_FILE).exists():
        return path
    found = [number for number in versions(path) if (path / str(number) / MODEL_FILE).exists()]
    if not found:
        raise ConfigError(f"{path} is no export: it holds neither saved_model.pb nor a version.")
    return path / str(found[-1])
