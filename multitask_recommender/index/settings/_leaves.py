"""What the settings have in common of indexes that search some of many leaves.

Each of them is given, or None: then tuning chooses it, from `ladders`.
"""

import math
from collections.abc import Iterator
from typing import Any, Self

from pydantic import Field, model_validator

from multitask_recommender.errors import ConfigError
from multitask_recommender.index.settings._search import IndexSettings

_STEP = 2**0.25  # from one number of leaves searched to the next
_TIMES_ROOT = (1, 2, 4)  # numbers of leaves, in square roots of that of items


class LeafSettings(IndexSettings):
    leaves: int | None = Field(
        None, gt=0, description="Parts that items are divided into; by default it is searched for."
    )
    searched: int | None = Field(
        None, gt=0, description="Leaves that a query looks into; by default it is searched for."
    )

    @model_validator(mode="after")
    def _leaves_are_there_to_be_searched(self) -> Self:
        if self.leaves and self.searched and self.searched > self.leaves:
            raise ValueError(f"searched {self.searched} exceeds leaves {self.leaves}.")
        return self

    @property
    def built_with(self) -> tuple[Any, ...]:
        return (self.leaves,)

    def checked(self, num_items: int) -> Self:
        """These settings. Raises ConfigError where they are incomplete or items too few."""
        missing = [name for name in type(self).model_fields if getattr(self, name) is None]
        if missing:
            raise ConfigError(
                f"{' and '.join(missing)} of an index must be given to build it: give them, or "
                "let tuning find them."
            )
        self._check_leaves(num_items)
        return self

    def ladders(self, num_items: int, cutoff: int) -> Iterator[list[Self]]:
        self._check_leaves(num_items)
        for leaves in self._numbers_of_leaves(num_items):
            yield [
                self.model_copy(update={"leaves": leaves, "searched": searched})
                for searched in self._numbers_searched(leaves)
            ]

    def cost(self, num_items: int) -> float:
        return self.leaves + self.searched / self.leaves * num_items

    def _check_leaves(self, num_items: int) -> None:
        for name in ("leaves", "searched"):
            if (getattr(self, name) or 0) > num_items:
                raise ConfigError(
                    f"{name} is {getattr(self, name)}, but there are only {num_items} items: give "
                    "at most one leaf an item."
                )

    def _numbers_of_leaves(self, num_items: int) -> list[int]:
        if self.leaves is not None:
            return [self.leaves]
        root = math.sqrt(num_items)
        least = self.searched or 1
        return sorted({min(num_items, max(least, round(root * each))) for each in _TIMES_ROOT})

    def _numbers_searched(self, leaves: int) -> list[int]:
        if self.searched is not None:
            return [self.searched]
        steps = range(1 + math.ceil(math.log(leaves, _STEP)))
        return sorted({min(leaves, round(_STEP**step)) for step in steps})
