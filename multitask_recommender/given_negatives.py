"""The items that a source wants some events ranked among: those of its test file, as a rule.

They are what published figures of the protocol `sampled` compare by; see evaluation/sampled.py.
"""

import dataclasses

import numpy as np

from multitask_recommender.errors import DataError
from multitask_recommender.schema import PAD


@dataclasses.dataclass(frozen=True)
class GivenNegatives:
    """Kept once, by line, so that millions of events to learn from do not carry any."""

    lines: np.ndarray  # int32 [N], the line of item_ids of each event; -1 where it has none
    item_ids: np.ndarray  # int32 [L, n]; 0 where a line has fewer than others

    def check(self, num_items: int) -> None:
        """Raises DataError where ids are none of 1..num_items, or padding."""
        for outside in (self.item_ids.min(initial=PAD), self.item_ids.max(initial=PAD)):
            if not PAD <= outside <= num_items:
                raise DataError(f"negatives hold the item id {outside}, expected 0..{num_items}.")

    def take(self, rows: np.ndarray) -> "GivenNegatives | None":
        """Those of the events at positions `rows`, or where a mask is true; None where none is."""
        lines = self.lines[rows]
        return GivenNegatives(lines, self.item_ids) if (lines >= 0).any() else None

    def of_all(self) -> np.ndarray | None:
        """Item ids [N, n] of each event; None unless all of them have a line."""
        return None if (self.lines < 0).any() else self.item_ids[self.lines]

    def renumbered(self, new_ids: np.ndarray) -> "GivenNegatives":
        """With the new ids of items, by old id [I + 1]."""
        return GivenNegatives(self.lines, new_ids[self.item_ids])
