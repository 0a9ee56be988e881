"""Which metric chooses the epoch, which epoch is the best, and whether to go on looking."""

import dataclasses
import math
from collections.abc import Mapping

from multitask_recommender.errors import ConfigError, suggestion
from multitask_recommender.metrics.direction import LOWER, Direction
from multitask_recommender.schema import TOTAL_LOSS, VALIDATION

NDCG = f"{VALIDATION}/full/ndcg@"


@dataclasses.dataclass(frozen=True)
class Monitor:
    """A metric of the validation part by its flat key, and whether less of it is better."""

    key: str
    lower_is_better: bool


def choose_monitor(setting: str, known: Mapping[str, Direction | None]) -> Monitor:
    """The setting training.monitor among the metrics known to be there, by flat key.

    auto is `full/ndcg@20` or that of the nearest cut-off; where there is none, the loss.
    Raises ConfigError where the metric is not there, or has no way in which it is better.
    """
    key = _auto(known) if setting == "auto" else f"{VALIDATION}/{setting}"
    better = known.get(key)
    if better is not None:
        return Monitor(key, better == LOWER)
    names = [key.removeprefix(f"{VALIDATION}/") for key, better in known.items() if better]
    fault = "which is no metric of this validation part"
    if key in known:
        fault = "of which neither more nor less is better"
    raise ConfigError(
        f"training.monitor is '{setting}', {fault}.{suggestion(setting, names)} A metric that can "
        f"choose the epoch is such as {names[-1]}."
    )


def _auto(known: Mapping[str, Direction | None]) -> str:
    cutoffs = [int(key.removeprefix(NDCG)) for key in known if key.startswith(NDCG)]
    if not cutoffs:
        return f"{VALIDATION}/{TOTAL_LOSS}"
    return f"{NDCG}{min(cutoffs, key=lambda cutoff: abs(cutoff - 20))}"


@dataclasses.dataclass
class EarlyStopping:
    """Watches one metric; `patience` validations without a better one end the search."""

    monitor: Monitor
    patience: int | None
    best_epoch: int | None = None
    best: float | None = None
    waited: int = 0

    @property
    def is_over(self) -> bool:
        return self.patience is not None and self.waited >= self.patience

    def see(self, epoch: int, value: float) -> bool:
        """Whether this epoch is the best so far; the first of equals is."""
        lower = self.monitor.lower_is_better
        is_better = self.best is None or (value < self.best if lower else value > self.best)
        is_better &= math.isfinite(value)
        if is_better:
            self.best_epoch, self.best, self.waited = epoch, value, 0
        else:
            self.waited += 1
        return is_better
