"""Shapes of arrays as they grow with the data: found by making them small, once more for each axis.

A table has a row for each user, for each item, for both or for each word of a feature, and whatever
a model makes of it grows by as much. So its shape at any size is known from a model of five users
and items, one of six users and five items, and so on: no model has to say which table it has.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence

from multitask_recommender.planning import miniature
from multitask_recommender.planning.miniature import Axes


@dataclasses.dataclass(frozen=True)
class Array:
    """An array of a given size."""

    name: str
    shape: tuple[int, ...]
    item_bytes: int
    axes: tuple[str, ...] = ()  # that it grows with

    @property
    def size(self) -> int:
        """How many numbers."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        return self.size * self.item_bytes


Arrays = Mapping[str, Sequence[Array]]  # by what they are for


def total(arrays: Sequence[Array]) -> int:
    """Bytes."""
    return sum(array.bytes for array in arrays)


def at_size(make: Callable[[Axes], Arrays], axes: Axes) -> dict[str, list[Array]]:
    """The arrays that `make` would make of so many users, items and words.

    It is called with small numbers only, and must make the same arrays every time.
    """
    few = miniature.small(axes)
    base = make(few)
    more = {axis: make({**few, axis: few[axis] + 1}) for axis in axes}
    return {
        kind: [
            _grown(array, {axis: more[axis][kind][place] for axis in axes}, few, axes)
            for place, array in enumerate(arrays)
        ]
        for kind, arrays in base.items()
    }


def _grown(array: Array, taller: Mapping[str, Array], few: Axes, axes: Axes) -> Array:
    """taller: the same array with one more of each axis."""
    shape = list(array.shape)
    grows = []
    for axis, other in taller.items():
        steps = [new - old for old, new in zip(array.shape, other.shape, strict=True)]
        if any(steps):
            grows.append(axis)
        for place, step in enumerate(steps):
            shape[place] += step * (axes[axis] - few[axis])
    return dataclasses.replace(array, shape=tuple(shape), axes=tuple(grows))
