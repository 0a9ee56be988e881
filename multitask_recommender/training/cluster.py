"""The processes that train together, as TF_CONFIG names them; without TensorFlow."""

import dataclasses
import json
import os
from collections.abc import Mapping

from multitask_recommender.errors import ConfigError

VARIABLE = "TF_CONFIG"
CHIEF, WORKER, SERVER = "chief", "worker", "ps"
STRATEGIES = {  # those of several processes: an example of such a cluster, and who writes the run
    "multi_worker": (
        {WORKER: ["host0:2222", "host1:2222"]},
        "Worker 0 (or a `chief`, where there is one) writes the run.",
    ),
    "parameter_server": (
        {CHIEF: ["host0:2222"], WORKER: ["host1:2222", "host2:2222"], SERVER: ["host3:2222"]},
        "The chief writes the run.",
    ),
}


@dataclasses.dataclass(frozen=True)
class Cluster:
    """This process among the others: all addresses by kind, and which of them is its own."""

    addresses: Mapping[str, list[str]]
    kind: str
    index: int

    @property
    def address(self) -> str:
        return self.addresses[self.kind][self.index]

    @property
    def is_chief(self) -> bool:
        """Whether this process alone writes and prints."""
        return self.kind == CHIEF or (
            CHIEF not in self.addresses and (self.kind, self.index) == (WORKER, 0)
        )

    @property
    def serves(self) -> bool:
        """Whether it has nothing of its own to do, but what a chief of parameter servers asks."""
        return SERVER in self.addresses and not self.is_chief

    @property
    def num_workers(self) -> int:
        return self.number_of(CHIEF) + self.number_of(WORKER)

    def number_of(self, kind: str) -> int:
        return len(self.addresses.get(kind, ()))


def read(strategy: str) -> Cluster:
    """The cluster of TF_CONFIG.

    Raises ConfigError where it is not set, or does not say what training.strategy needs.
    """
    text = os.environ.get(VARIABLE)
    addresses, writer = STRATEGIES[strategy]
    example = json.dumps({"cluster": addresses, "task": {"type": WORKER, "index": 0}})
    if not text:
        raise ConfigError(
            f"training.strategy is {strategy}, but {VARIABLE} is not set. Each process of the "
            f"cluster needs it, with an index of its own: {VARIABLE}='{example}'. {writer}"
        )
    try:
        value = json.loads(text)
        addresses, task = value["cluster"], value["task"]
        cluster = Cluster(addresses, task["type"], int(task["index"]))
        _ = cluster.address
        if cluster.index < 0:
            raise IndexError(cluster.index)
        for each in sum(addresses.values(), []):
            endpoint(each)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise ConfigError(
            f"{VARIABLE} is {text!r}, which names no process of a cluster ({error!r}). Expected "
            f"such as {example}."
        ) from error
    if strategy == "parameter_server":
        _check_servers(cluster)
    elif set(addresses) - {CHIEF, WORKER}:
        raise ConfigError(
            f"{VARIABLE} has {', '.join(sorted(addresses))}: training.strategy {strategy} is of "
            "a chief and workers alone."
        )
    return cluster


def endpoint(address: str) -> tuple[str, int]:
    """Host and port of an address, without the brackets of an IPv6 host.

    Raises ValueError where there is no port.
    """
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _check_servers(cluster: Cluster) -> None:
    numbers = {kind: cluster.number_of(kind) for kind in (CHIEF, WORKER, SERVER)}
    others = set(cluster.addresses) - set(numbers)
    if others or numbers[CHIEF] != 1 or not numbers[WORKER] or not numbers[SERVER]:
        found = {kind: len(each) for kind, each in cluster.addresses.items()}
        raise ConfigError(
            f"{VARIABLE} has {found}: training.strategy parameter_server is of one {CHIEF}, and "
            f"of one {WORKER} and one {SERVER} (parameter server) or more."
        )
