"""The processes that train together, as TF_CONFIG names them; without TensorFlow."""

import dataclasses
import json
import os
from collections.abc import Mapping

from multitask_recommender.errors import ConfigError

VARIABLE = "TF_CONFIG"
_EXAMPLE = (
    """{"cluster": {"worker": ["host0:2222", "host1:2222"]}, """
    """"task": {"type": "worker", "index": 0}}"""
)


@dataclasses.dataclass(frozen=True)
class Cluster:
    """This process among the others: all addresses by kind, and which of them is its own."""

    addresses: Mapping[str, list[str]]
    kind: str
    index: int

    @property
    def is_chief(self) -> bool:
        """Whether this process alone writes and prints."""
        return self.kind == "chief" or (
            "chief" not in self.addresses and (self.kind, self.index) == ("worker", 0)
        )

    @property
    def num_workers(self) -> int:
        return sum(len(self.addresses.get(kind, ())) for kind in ("chief", "worker"))


def read(strategy: str) -> Cluster:
    """The cluster of TF_CONFIG.

    Raises ConfigError where it is not set, or does not say what training.strategy needs.
    """
    text = os.environ.get(VARIABLE)
    if not text:
        raise ConfigError(
            f"training.strategy is {strategy}, but {VARIABLE} is not set. Each process of the "
            f"cluster needs it, with an index of its own: {VARIABLE}='{_EXAMPLE}'. Worker 0 (or "
            "a `chief`, where there is one) writes the run."
        )
    try:
        value = json.loads(text)
        addresses, task = value["cluster"], value["task"]
        cluster = Cluster(addresses, task["type"], int(task["index"]))
        _ = cluster.addresses[cluster.kind][cluster.index]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise ConfigError(
            f"{VARIABLE} is {text!r}, which names no process of a cluster ({error!r}). Expected "
            f"such as {_EXAMPLE}."
        ) from error
    others = set(addresses) - {"chief", "worker"}
    if others or cluster.kind not in ("chief", "worker"):
        raise ConfigError(
            f"{VARIABLE} has {', '.join(sorted(others | {cluster.kind}))}: training.strategy "
            f"{strategy} is of a chief and workers alone."
        )
    return cluster
