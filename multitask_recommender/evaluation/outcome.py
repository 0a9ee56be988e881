"""What a protocol measures, and its interface."""

import dataclasses
from typing import Any, Protocol

import numpy as np

from multitask_recommender.metrics.direction import Direction


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Metrics by name, and the values that they are means of.

    arrays: for each user in ascending order of ids [Q], or for each held-out row in its order [N].
    counts: of what was left out or stood behind a figure, for the record.
    """

    metrics: dict[str, float | None] = dataclasses.field(default_factory=dict)
    arrays: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    counts: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)


class RankingProtocol(Protocol):
    """One pass over blocks of scores: `measure` runs in threads, `add` in the caller, in order."""

    def measure(self, scores: np.ndarray, block: slice) -> Any: ...

    def add(self, measured: Any) -> None: ...

    def outcome(self) -> Outcome: ...

    def directions(self) -> dict[str, Direction | None]:
        """The metrics that `outcome` will have of any scorer, and which way each is better.

        Without those of cut-offs that leave no candidate out: what is the same for every scorer
        is not computed.
        """
        ...

    def record(self) -> dict[str, Any]: ...


def means(arrays: dict[str, np.ndarray]) -> Outcome:
    """The outcome whose metrics are means of arrays; without users or rows, None."""
    return Outcome(
        {name: float(np.mean(values)) if len(values) else None for name, values in arrays.items()},
        arrays,
    )
