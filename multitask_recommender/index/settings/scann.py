"""Settings of index/scann.py."""

from collections.abc import Iterator
from typing import Self

from pydantic import Field

from multitask_recommender.index.settings._leaves import LeafSettings

_QUANTISED = 1 / 16  # the bytes of a quantised vector, in vectors


class Settings(LeafSettings):
    reordered: int | None = Field(
        None,
        gt=0,
        description="Items that are scored exactly, of those found by quantised vectors; by "
        "default it is searched for.",
    )

    def ladders(self, num_items: int, cutoff: int) -> Iterator[list[Self]]:
        numbers = [self.reordered] if self.reordered else [3 * cutoff, 5 * cutoff, 10 * cutoff]
        for ladder in super().ladders(num_items, cutoff):
            for number in numbers:
                yield [each.model_copy(update={"reordered": number}) for each in ladder]

    def cost(self, num_items: int) -> float:
        read = self.searched / self.leaves * num_items
        return self.leaves + _QUANTISED * read + self.reordered
