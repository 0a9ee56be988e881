"""What a run was made of: versions, commit, the data's checksums."""

import hashlib
import os
import pathlib
import platform
import subprocess
from collections.abc import Mapping
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np

from multitask_recommender import __version__, config_file, run_folder
from multitask_recommender.config import Config
from multitask_recommender.config_file import RECORD
from multitask_recommender.errors import RunError
from multitask_recommender.interactions import Entities, Interactions, Source
from multitask_recommender.splits import Splits
from multitask_recommender.splits.coverage import unknown_rates

if TYPE_CHECKING:
    import polars as pl

PLACES = ("path", "cache", "users", "items")  # settings of datasets that name places
_PACKAGES = ("tensorflow", "tensorflow-recommenders", "numpy")


def config_text(config: Config, source: Source) -> str:
    """The resolved config as YAML, with a `record` of versions and data; `config.load` reads it."""
    data = {"source": source.name, "md5": dict(source.files), "warnings": list(source.warnings)}
    record = {"versions": versions(), "data": data}
    values = config.to_dict()
    for key in values["dataset"].keys() & PLACES:
        if isinstance(values["dataset"][key], str):
            # Where the run was begun is not where it will be evaluated.
            values["dataset"][key] = os.path.abspath(values["dataset"][key])
    return config_file.write({**values, RECORD: record})


def without_places(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a dataset without those that say where it lies: checksums tell what it is."""
    return {key: value for key, value in dataset.items() if key not in (*PLACES, "offline")}


def identity(config: Config, train: Interactions) -> dict[str, Any]:
    """What a checkpoint must share with whoever goes on from it, as values that JSON knows."""
    return {
        "config": config.to_dict(),
        "data": {"source": train.source.name, "md5": dict(train.source.files)},
        "vocabulary": {"users": _checksum(train.users), "items": _checksum(train.items)},
    }


def _checksum(entities: Entities) -> str:
    """Of the raw ids of a vocabulary, in their order."""
    ids = entities.vocabulary
    if ids.dtype == object:
        ids = np.char.encode(ids.astype(str))
    digest = hashlib.sha256(np.ascontiguousarray(ids)).hexdigest()
    return f"{entities.num_known:,} ids, sha256 {digest[:16]}"


def versions() -> dict[str, str | None]:
    """Of this library (with its commit, in a checkout), Python and the packages that matter."""
    return {
        "multitask_recommender": __version__,
        "commit": _commit(),
        "python": platform.python_version(),
        **{package: metadata.version(package) for package in _PACKAGES},
    }


def dataset(data: Splits, config: Config) -> dict[str, Any]:
    """What the rows were, and what is unknown of them, for metrics.json."""
    train = data.train
    return {
        "name": train.source.name,
        "warnings": list(train.source.warnings),
        "md5": dict(train.source.files),
        "users": train.num_users,
        "items": train.num_items,
        "parts": data.counts(),
        "unknown": unknown_rates(data, config.model.settings.inputs_read()),
        "rows_in_no_part": data.num_dropped,
        "notes": list(data.notes),
    }


def write_parquet(path: pathlib.Path, table: "pl.DataFrame", source: Source) -> None:
    """Whole or absent; source and warnings go into the file's metadata."""
    import polars.exceptions

    metadata = {"source": source.name, "warnings": "\n".join(source.warnings)}
    try:
        with run_folder.aside(path) as unfinished:
            table.write_parquet(unfinished, metadata=metadata)
    except polars.exceptions.PolarsError as error:
        raise RunError(f"{path} cannot be written: {error}") from error


def check_same_data(config_path: pathlib.Path, source: Source) -> None:
    """Raises RunError where the data are not those that a run was trained on.

    Files may have moved: what counts is the source's kind and the content of its files.
    """
    trained_on: dict[str, Any] = config_file.read(config_path).get(RECORD, {}).get("data", {})
    checksums = set(trained_on.get("md5", {}).values())
    if checksums != set(source.files.values()) or (
        not checksums and trained_on.get("source") != source.name
    ):
        raise RunError(
            f"The data found now is not what the run was trained on: {source.name} "
            f"({_listed(source.files)}), but {config_path} records {trained_on.get('source')} "
            f"({_listed(trained_on.get('md5', {}))})."
        )


def _listed(files: Mapping[str, str]) -> str:
    return ", ".join(f"{path} md5 {checksum}" for path, checksum in files.items()) or "no files"


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
