"""What a run was made of: versions, commit, the data's checksums."""

import pathlib
import platform
import subprocess
from importlib import metadata
from typing import TYPE_CHECKING, Any

from multitask_recommender import __version__, config_file
from multitask_recommender.config import Config
from multitask_recommender.errors import RunError
from multitask_recommender.interactions import Source
from multitask_recommender.splits import Splits

if TYPE_CHECKING:
    import polars as pl

_PACKAGES = ("tensorflow", "tensorflow-recommenders", "numpy")


def config_text(config: Config, source: Source) -> str:
    """The resolved config as YAML, with a `record` of versions and data; `config.load` reads it."""
    data = {"source": source.name, "md5": dict(source.files), "warnings": list(source.warnings)}
    record = {"versions": versions(), "data": data}
    return config_file.write({**config.to_dict(), config_file.RECORD: record})


def versions() -> dict[str, str | None]:
    """Of this library (with its commit, in a checkout), Python and the packages that matter."""
    return {
        "multitask_recommender": __version__,
        "commit": _commit(),
        "python": platform.python_version(),
        **{package: metadata.version(package) for package in _PACKAGES},
    }


def dataset(data: Splits) -> dict[str, Any]:
    """What the rows were, for metrics.json."""
    train = data.train
    return {
        "name": train.source.name,
        "warnings": list(train.source.warnings),
        "md5": dict(train.source.files),
        "users": train.num_users,
        "items": train.num_items,
        "parts": data.counts(),
        "rows_in_no_part": data.num_dropped,
    }


def write_parquet(path: pathlib.Path, table: "pl.DataFrame", source: Source) -> None:
    """Written aside and renamed; source and warnings go into the file's metadata."""
    import polars.exceptions

    aside = path.with_name(path.name + ".partial")
    metadata = {"source": source.name, "warnings": "\n".join(source.warnings)}
    try:
        table.write_parquet(aside, metadata=metadata)
        aside.replace(path)
    except polars.exceptions.PolarsError as error:
        raise RunError(f"{path} cannot be written: {error}") from error
    finally:
        aside.unlink(missing_ok=True)


def check_same_data(config_path: pathlib.Path, source: Source) -> None:
    """Raises RunError where a run's data files are no longer those it was trained on."""
    record = config_file.read(config_path).get(config_file.RECORD, {})
    trained_on: dict[str, Any] = record.get("data", {}).get("md5", {})
    for path, checksum in source.files.items():
        # Files may have moved: what counts is the content.
        if trained_on and checksum not in trained_on.values():
            raise RunError(
                f"{path} (md5 {checksum}) is not what the run was trained on: see "
                f"{config_path}, record.data."
            )


def _commit() -> str | None:
    """The checkout's commit, with a + if files differ from it; None outside a checkout."""
    folder = pathlib.Path(__file__).parent
    try:
        head = _git(folder, "rev-parse", "HEAD")
        return head + ("+" if _git(folder, "status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(folder: pathlib.Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
