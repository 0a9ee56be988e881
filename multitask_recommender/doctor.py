"""Is this machine fit to run us, and what can it run on: packages, devices, space, data."""

import dataclasses
import importlib
import importlib.metadata
import os
import pathlib
import platform
import re
import shutil
import sys
from collections.abc import Iterator

from multitask_recommender.datasets import _local

PYTHONS = ((3, 11), (3, 12))
# Distributions whose module is not called like them.
MODULES = {
    "grpcio": "grpc",
    "protobuf": "google.protobuf",
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
    "tensorflow-serving-api": "tensorflow_serving",
}
DEVELOPMENT = "# Development"  # the line of requirements.txt from which tests and tools follow
_GIB = 1 << 30
_LEAST_MEMORY, _LEAST_DISK = 2 * _GIB, 2 * _GIB  # the main job takes 1.5 GiB and 10 MB
_REQUIREMENTS = pathlib.Path(__file__).parents[1] / "requirements.txt"


@dataclasses.dataclass(frozen=True)
class Finding:
    """What was looked at, and what was found; what is wrong with it, and what mends that.

    A fault stops commands from working; a warning is something to know.
    """

    name: str
    found: str
    fault: str = ""
    warning: str = ""
    remedy: str = ""  # a command, or what to do

    def __str__(self) -> str:
        line = f"{self.name:29}{self.found}"
        if self.fault:
            line += f"  FAULT: {self.fault}"
        if self.warning:
            line += f"  warning: {self.warning}"
        return line + (f"\n    -> {self.remedy}" if self.remedy else "")


@dataclasses.dataclass(frozen=True)
class Pin:
    """A package with the version that is known to work with all others."""

    name: str
    version: str
    for_tests: bool  # alone: whoever runs the commands does without

    @property
    def remedy(self) -> str:
        return f"{sys.executable} -m pip install '{self.name}=={self.version}'"


def diagnose() -> Iterator[Finding]:
    """Each finding as soon as it is found: the next may take seconds."""
    yield _python()
    for pin in pins():
        yield inspect(pin)
    yield _scann()
    yield _gpus()
    yield _memory()
    yield _disk(pathlib.Path.cwd())
    yield from _data()


def pins() -> Iterator[Pin]:
    """Those of requirements.txt."""
    if _REQUIREMENTS.exists():
        text = _REQUIREMENTS.read_text(encoding="utf-8")
        needed, _, others = text.partition(DEVELOPMENT)
    else:  # an installed wheel carries them in its metadata, those for tests as an extra
        lines = importlib.metadata.requires("multitask_recommender") or []
        needed = "\n".join(line for line in lines if "extra ==" not in line)
        others = "\n".join(line for line in lines if "extra ==" in line)
    for part, for_tests in ((needed, False), (others, True)):
        for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", part, re.MULTILINE):
            yield Pin(name, version, for_tests)


def inspect(pin: Pin) -> Finding:
    """The installed version of a package, if any, and whether it is the one and can be imported."""
    try:
        found = importlib.metadata.version(pin.name)
    except importlib.metadata.PackageNotFoundError:
        if pin.for_tests:
            return Finding(pin.name, "-", warning="not installed: tests need it", remedy=pin.remedy)
        return Finding(pin.name, "-", fault="not installed", remedy=pin.remedy)
    fault = "" if pin.for_tests else _import_fault(pin.name)
    if fault:
        remedy = f"{pin.remedy} --force-reinstall --no-deps"
        return Finding(pin.name, found, fault=fault, remedy=remedy)
    if found != pin.version:
        warning = f"{pin.version} is pinned"
        return Finding(pin.name, found, warning=warning, remedy=pin.remedy)
    return Finding(pin.name, found)


def _python() -> Finding:
    found = platform.python_version()
    if sys.version_info[:2] in PYTHONS:
        return Finding("python", found)
    remedy = "install Python 3.12, remove .venv, and give `make train` again"
    return Finding("python", found, fault="needs 3.11 or 3.12", remedy=remedy)


def _import_fault(name: str) -> str:
    try:
        importlib.import_module(MODULES.get(name, name.replace("-", "_")))
    except Exception as error:  # whatever a broken install raises is the finding
        return f"does not import: {type(error).__name__}: {_first_line(error)}"
    return ""


def _scann() -> Finding:
    """Its operations are compiled against one TensorFlow, and fail when they are loaded."""
    try:
        from scann import scann_ops
    except Exception as error:  # as above
        warning = f"do not load: {type(error).__name__}: {_first_line(error)}"
        remedy = "export with --index ivf, or install the pinned tensorflow and scann"
        return Finding("scann operations", "-", warning=warning, remedy=remedy)
    del scann_ops
    return Finding("scann operations", "load")


def _gpus() -> Finding:
    try:
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
    except Exception as error:  # as above
        return Finding("gpu", "unknown", warning=_first_line(error))
    if not gpus and shutil.which("nvidia-smi"):
        pinned = next(pin for pin in pins() if pin.name == "tensorflow")
        return Finding(
            "gpu",
            "none visible to TensorFlow",
            warning="there is an NVIDIA driver",
            remedy=f"{sys.executable} -m pip install 'tensorflow[and-cuda]=={pinned.version}'",
        )
    return Finding("gpu", ", ".join(gpu.name for gpu in gpus) or "none visible to TensorFlow")


def _memory() -> Finding:
    lines = pathlib.Path("/proc/meminfo").read_text(encoding="ascii")
    total, free = (
        1024 * int(re.search(rf"^{name}: +(\d+) kB", lines, re.MULTILINE)[1])
        for name in ("MemTotal", "MemAvailable")
    )
    cores = len(os.sched_getaffinity(0))
    found = f"{free / _GIB:.1f} of {total / _GIB:.1f} GiB available, {cores} cores"
    if free >= _LEAST_MEMORY:
        return Finding("memory", found)
    remedy = "end other programs, or learn from less: dataset.max_rows=100000"
    return Finding("memory", found, warning="may be too little", remedy=remedy)


def _disk(folder: pathlib.Path) -> Finding:
    free = shutil.disk_usage(folder).free
    found = f"{free / _GIB:.1f} GiB free in {folder}"
    if not os.access(folder, os.W_OK):
        remedy = "name a folder for runs: --run-dir DIR"
        return Finding("disk", found, warning="nothing can be written there", remedy=remedy)
    if free < _LEAST_DISK:
        remedy = "make room: `du -sh runs/*` says what runs hold"
        return Finding("disk", found, warning="little room", remedy=remedy)
    return Finding("disk", found)


def _data() -> Iterator[Finding]:
    """A dataset that is not here is no fault: a synthetic one stands in, or another is named."""
    for local in _local.look():
        found = f"{local.folder}  {local.settings}" if local.folder else "not here"
        yield Finding(local.name, found, remedy="" if local.folder else local.remedy)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]
