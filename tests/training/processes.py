"""The processes of a cluster on this machine, each of them a command as a user starts it."""

import json
import os
import pathlib
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence

ROOT = pathlib.Path(__file__).parents[2]
Addresses = Mapping[str, Sequence[str]]


def addresses(**numbers: int) -> dict[str, list[str]]:
    """Those of so many processes of each kind, at ports that are free."""
    held = {kind: [_at_free_port() for _ in range(number)] for kind, number in numbers.items()}
    found = {
        kind: [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
        for kind, sockets in held.items()
    }
    for sockets in held.values():
        for each in sockets:
            each.close()
    return found


def _at_free_port() -> socket.socket:
    found = socket.socket()
    found.bind(("127.0.0.1", 0))
    return found


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
        task = {"type": kind, "index": index}
        environment["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": task})
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
