"""The processes of a cluster on this machine, each of them a command as a user starts it."""

import os
import pathlib
import subprocess
import sys
from collections.abc import Sequence

from benchmarks._cluster import Addresses, told

ROOT = pathlib.Path(__file__).parents[2]


def start(
    folder: pathlib.Path,
    arguments: Sequence[str],
    cluster: Addresses | None = None,
    kind: str = "worker",
    index: int = 0,
) -> subprocess.Popen:
    """A process in a folder with config.yaml: of a cluster, or alone."""
    return program(["-m", "multitask_recommender", *arguments], folder, cluster, kind, index)


def program(
    arguments: Sequence[str],
    folder: pathlib.Path,
    cluster: Addresses | None = None,
    kind: str = "worker",
    index: int = 0,
) -> subprocess.Popen:
    """A process of Python in a folder: of a cluster, or alone."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    if cluster is not None:
        environment |= told(cluster, kind, index)
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
