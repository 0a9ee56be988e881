"""What the settings of every index can be asked for by tuning."""

from collections.abc import Iterator
from typing import Any, Self

from multitask_recommender.settings import Settings


class IndexSettings(Settings):
    """Of an index with nothing to search for: it has one setting, which is complete."""

    @property
    def built_with(self) -> tuple[Any, ...]:
        """What building depends on: settings that agree in it share what was built."""
        return ()

    def ladders(self, num_items: int, cutoff: int) -> Iterator[list[Self]]:
        """Lists of complete settings to try; along each, recall and cost go up.

        cutoff: how many answers are wanted. Lists that share what is built stand together.
        """
        yield [self]

    def cost(self, num_items: int) -> float:
        """What a query reads, about, in vectors: to compare settings of one index."""
        return float(num_items)
