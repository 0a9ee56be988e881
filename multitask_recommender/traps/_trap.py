"""What a trap is."""

import dataclasses
from typing import Literal

from multitask_recommender.traps.settings import Name


@dataclasses.dataclass(frozen=True)
class Trap:
    """A fault of data or config that makes figures too good, or training useless.

    error: refused unless `traps.allow` names it. warning: said loudly. note: said.
    """

    name: Name
    severity: Literal["error", "warning", "note"]
    sentence: str  # what was found, with counts, and the remedy

    @property
    def is_error(self) -> bool:
        return self.severity == "error"
