"""Is this machine fit to run us: Python, the pinned packages, the GPUs."""

import importlib
import importlib.metadata
import pathlib
import platform
import re
import sys
from collections.abc import Iterator

PYTHONS = ((3, 11), (3, 12))
# Distributions whose module is not called like them.
MODULES = {
    "grpcio": "grpc",
    "protobuf": "google.protobuf",
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
    "tensorflow-serving-api": "tensorflow_serving",
}


def diagnose() -> Iterator[tuple[str, bool]]:
    """A line for each finding as soon as it is found, and whether that is as it should be."""
    is_supported = sys.version_info[:2] in PYTHONS
    python = f"{'python':29}{platform.python_version()}"
    yield python if is_supported else f"{python}  FAULT: needs 3.11 or 3.12", is_supported
    for name, pinned in pins():
        found, fault = inspect(name)
        note = f"  FAULT: {fault}" if fault else ""
        if found and found != pinned:
            note += f"  warning: {pinned} is pinned"
        yield f"{name:29}{found or '-'}{note}", not fault
    yield f"{'gpu':29}{_gpus()}", True


def pins() -> Iterator[tuple[str, str]]:
    """The name and version of each package of requirements.txt."""
    path = pathlib.Path(__file__).parents[1] / "requirements.txt"
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines()
    else:  # an installed wheel carries them in its metadata
        lines = importlib.metadata.requires("multitask_recommender") or []
    for line in lines:
        if pin := re.match(r"([\w.-]+)==([\w.]+)", line):
            yield pin[1], pin[2]


def inspect(name: str) -> tuple[str | None, str | None]:
    """The installed version of a distribution, if any, and what is wrong with it, if anything."""
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None, "not installed"
    try:
        importlib.import_module(MODULES.get(name, name.replace("-", "_")))
    except Exception as error:  # whatever a broken install raises is the finding
        return version, f"does not import: {type(error).__name__}: {_first_line(error)}"
    return version, None


def _gpus() -> str:
    try:
        import tensorflow as tf

        found = tf.config.list_physical_devices("GPU")
    except Exception as error:  # as above
        return f"unknown: {_first_line(error)}"
    return ", ".join(gpu.name for gpu in found) or "none visible to TensorFlow"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]
