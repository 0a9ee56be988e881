"""A cluster on this machine, for benchmarks and tests: where its processes are, and who each is."""

import json
import socket
from collections.abc import Mapping, Sequence

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


def told(cluster: Addresses, kind: str, index: int) -> dict[str, str]:
    """The environment of a process of a cluster."""
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})}
