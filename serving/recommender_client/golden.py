"""Golden requests: what an export answered when it was made, and how far a server is from it."""

import functools
import json
import math
import operator
import pathlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import UsageError
from .tensors import Nested

FILE = pathlib.Path("assets.extra", "golden_requests.json")


@dataclass(frozen=True)
class Request:
    """Inputs and outputs of one request, in columns."""

    signature: str
    inputs: Mapping[str, Nested]
    outputs: Mapping[str, Nested]


@dataclass(frozen=True)
class Golden:
    """The golden requests of a version; `vocabulary` holds a SHA-256 for users and for items."""

    model: str
    version: int
    vocabulary: Mapping[str, str]
    tolerance: float
    requests: tuple[Request, ...]


@dataclass(frozen=True)
class Drift:
    """How far an output is from its golden one.

    `distance`: the largest absolute difference of numbers. `differing`: how many ids or words are
    others, each row compared as a set: items that tie may change places.
    """

    distance: float = 0.0
    differing: int = 0

    def __or__(self, other: "Drift") -> "Drift":
        return Drift(max(self.distance, other.distance), self.differing + other.differing)


def worst(drifts: Mapping[Any, Drift]) -> Drift:
    """All drifts as one."""
    return functools.reduce(operator.or_, drifts.values(), Drift())


def read(path: pathlib.Path) -> Golden:
    """Reads the file, or that of the export whose folder is given; UsageError where it cannot."""
    file = path / FILE if path.is_dir() else path
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return Golden(
            model=content["model"],
            version=int(content["version"]),
            vocabulary=content["vocabulary"],
            tolerance=float(content["tolerance"]),
            requests=tuple(Request(**request) for request in content["requests"]),
        )
    except OSError as error:
        raise UsageError(
            f"{file}: {error.strerror}. Give golden_requests.json or the folder of a version."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{file} holds no golden requests: {error!r}.") from error


def compare(golden: Mapping[str, Nested], found: Mapping[str, Nested]) -> dict[str, Drift]:
    """The drift of each output that either has; one that is missing is infinitely far."""
    drifts = {}
    if "item_ids" in golden and "item_ids" in found:
        drifts["item_ids"] = _differing_items(golden, found)
        found = _in_order_of(golden, found)
    for name in sorted({*golden, *found} - drifts.keys()):
        if name in golden and name in found:
            drifts[name] = _drift(golden[name], found[name])
        else:
            drifts[name] = Drift(math.inf)
    return drifts


def _items(outputs: Mapping[str, Nested]) -> list[list[Any]]:
    """The ids of each row, without what fills it up."""
    ids = outputs["item_ids"]
    lengths = outputs.get("num_items") or [len(row) for row in ids]
    return [row[:length] for row, length in zip(ids, lengths, strict=True)]


def _differing_items(golden: Mapping[str, Nested], found: Mapping[str, Nested]) -> Drift:
    wanted, given = _items(golden), _items(found)
    differing = abs(len(wanted) - len(given))
    for ours, theirs, scores in zip(wanted, given, found["scores"], strict=False):
        unlike = Counter(ours) - Counter(theirs), Counter(theirs) - Counter(ours)
        differing += max(each.total() for each in unlike)
        ordered = scores[: len(theirs)]
        differing += sum(
            after > before for before, after in zip(ordered, ordered[1:], strict=False)
        )
    return Drift(differing=differing)


def _in_order_of(golden: Mapping[str, Nested], found: Mapping[str, Nested]) -> dict[str, Nested]:
    """The found outputs with the items of each row where the golden ones have them."""
    wanted, given = golden["item_ids"], found["item_ids"]
    if [len(row) for row in wanted] != [len(row) for row in given]:
        return dict(found)
    orders = [_order(ours, theirs) for ours, theirs in zip(wanted, given, strict=True)]
    return {
        name: [[row[n] for n in order] for row, order in zip(values, orders, strict=True)]
        if _is_like(values, given)
        else values
        for name, values in found.items()
    }


def _order(wanted: Sequence[Any], given: Sequence[Any]) -> list[int]:
    """Where each wanted id stands in a row; one that is not there takes a place that is left."""
    places: dict[Any, list[int]] = {}
    for place, each in enumerate(given):
        places.setdefault(each, []).append(place)
    order = [places[each].pop(0) if places.get(each) else None for each in wanted]
    left = iter(sorted(place for each in places.values() for place in each))
    return [next(left) if place is None else place for place in order]


def _is_like(values: Nested, ids: list[list[Any]]) -> bool:
    return all(isinstance(row, list) for row in values) and list(map(len, values)) == list(
        map(len, ids)
    )


def _drift(golden: Nested, found: Nested) -> Drift:
    if isinstance(golden, list) and isinstance(found, list):
        if len(golden) != len(found):
            return Drift(math.inf)
        total = Drift()
        for ours, theirs in zip(golden, found, strict=True):
            total |= _drift(ours, theirs)
        return total
    if isinstance(golden, str) or isinstance(found, str):
        return Drift(differing=int(golden != found))
    if isinstance(golden, list) or isinstance(found, list):
        return Drift(math.inf)
    if golden == found or (math.isnan(golden) and math.isnan(found)):
        return Drift()
    distance = abs(golden - found)
    return Drift(math.inf if math.isnan(distance) else distance)
