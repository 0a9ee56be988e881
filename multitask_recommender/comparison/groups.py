"""Which runs may be ranked together: those of the same data, split and protocols.

A run that lacks a protocol (one without retrieval ranks nothing) stands with those that agree in
all others.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from multitask_recommender.comparison.finished import Run

_SEED = "seed"  # of the training: runs of several are what is compared
# Of a protocol: what was found, and cut-offs on which figures at the others do not depend.
_NO_CONDITION = {"cutoffs_left_out", "intervals_95"}


@dataclasses.dataclass
class Group:
    """Runs that may be ranked together, and what they have in common."""

    dataset: dict[str, Any]
    protocol: dict[str, Any]
    runs: list[Run]
    warnings: dict[str, None] = dataclasses.field(default_factory=dict)  # of any run, each once

    def takes(self, results: Mapping[str, Any]) -> bool:
        """Whether results, as metrics.json has them, are of these data and protocols."""
        dataset, protocol = _dataset(results), _protocol(results)
        common = self.protocol.keys() & protocol.keys()
        return self.dataset == dataset and all(self.protocol[k] == protocol[k] for k in common)


def group(runs: Sequence[Run]) -> list[Group]:
    """Those with the most protocols found a group first; the runs keep their order within it."""
    groups: list[Group] = []
    for run in sorted(runs, key=lambda run: -len(_protocol(run.results))):
        fitting = next((each for each in groups if each.takes(run.results)), None)
        if fitting is None:
            fitting = Group(_dataset(run.results), {}, [])
            groups.append(fitting)
        fitting.protocol = _protocol(run.results) | fitting.protocol
        fitting.warnings |= dict.fromkeys(run.results["dataset"]["warnings"])
        fitting.runs.append(run)
    place = {run.name: number for number, run in enumerate(runs)}
    for each in groups:
        each.runs.sort(key=lambda run: place[run.name])
    return sorted(groups, key=lambda each: place[each.runs[0].name])


def _dataset(results: Mapping[str, Any]) -> dict[str, Any]:
    dataset = results["dataset"]
    return {
        "name": dataset["name"],
        "md5": sorted(dataset["md5"].values()),
        "users": dataset["users"],
        "items": dataset["items"],
        "parts": {name: count["rows"] for name, count in dataset["parts"].items()},
    }


def _protocol(results: Mapping[str, Any]) -> dict[str, Any]:
    """By name, flat: a label is a protocol of its own."""
    found = dict(results["protocol"])
    labels = {f"label {name}": counts for name, counts in found.pop("labels").items()}
    kept = {
        name: _without(value) if isinstance(value, Mapping) else value
        for name, value in {**found, **labels}.items()
        if name != _SEED
    }
    return json.loads(json.dumps(kept))


def _without(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: each for key, each in value.items() if key not in _NO_CONDITION}
