"""What an ensemble is made of: its members, its method, and what each member counts; as a file."""

import dataclasses
import json
import pathlib
from collections.abc import Mapping
from typing import Any

from multitask_recommender import run_folder
from multitask_recommender.errors import RunError

FILE = "ensemble.json"
WEIGHTED, RECIPROCAL_RANK, STACKED = "weighted", "reciprocal_rank", "stacked"
METHODS = (WEIGHTED, RECIPROCAL_RANK, STACKED)


@dataclasses.dataclass(frozen=True)
class Reference:
    """Who a member is: a run at an absolute path, with what its metrics.json was; or, without a
    path, the baseline of that name.
    """

    name: str
    run: str | None = None
    md5: str | None = None


@dataclasses.dataclass(frozen=True)
class Blend:
    """How predictions of one task are added: a weight for each member, and a number."""

    weights: tuple[float, ...]
    intercept: float = 0.0


@dataclasses.dataclass(frozen=True)
class Recipe:
    """`blends` are by task; retrieval has one under its name, where any member retrieves."""

    method: str
    members: tuple[Reference, ...]
    blends: Mapping[str, Blend]

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def write(self, folder: pathlib.Path) -> None:
        run_folder.write_json(folder / FILE, self.to_dict())


def is_ensemble(place: pathlib.Path) -> bool:
    """Whether a folder holds an ensemble, finished or not."""
    return (place / FILE).exists()


def read(place: pathlib.Path) -> Recipe:
    """The recipe in a folder. Raises RunError where its file is not as `write` makes it."""
    path = place / FILE
    try:
        values = json.loads(path.read_text())
        members = tuple(Reference(**member) for member in values["members"])
        blends = {
            task: Blend(tuple(map(float, blend["weights"])), float(blend["intercept"]))
            for task, blend in values["blends"].items()
        }
        method = values["method"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(
            f"{path} is not as `ensemble` writes it ({error!r}): make it again."
        ) from error
    if method not in METHODS or any(len(b.weights) != len(members) for b in blends.values()):
        raise RunError(
            f"{path} is not as `ensemble` writes it: its method is {method!r} (known: "
            f"{', '.join(METHODS)}), and each of its {len(members)} members has a weight."
        )
    return Recipe(method, members, blends)


def evenly(takes_part: Mapping[str, tuple[bool, ...]], weights: tuple[float, ...]) -> dict:
    """Blends of the weights given, for each task those of its members, which sum to 1.

    A task whose members all have the weight 0 has no blend.
    """
    blends = {}
    for task, takes in takes_part.items():
        own = [weight * part for weight, part in zip(weights, takes, strict=True)]
        if sum(own) > 0:
            blends[task] = Blend(tuple(weight / sum(own) for weight in own))
    return blends
