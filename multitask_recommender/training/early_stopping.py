"""Which epoch is the best on validation data, and whether to go on looking for a better one."""

import dataclasses
import math

_LOWER_IS_BETTER = ("loss", "root_mean_squared_error", "mean_absolute_error", "log_loss")


@dataclasses.dataclass
class EarlyStopping:
    """Watches one metric; `patience` validations without a better one end the search."""

    metric: str
    patience: int | None
    best_epoch: int | None = None
    best: float | None = None
    waited: int = 0

    @property
    def is_over(self) -> bool:
        return self.patience is not None and self.waited >= self.patience

    def see(self, epoch: int, value: float) -> bool:
        """Whether this epoch is the best so far; the first of equals is."""
        lower = self.metric.rpartition("/")[2] in _LOWER_IS_BETTER
        is_better = self.best is None or (value < self.best if lower else value > self.best)
        is_better &= math.isfinite(value)
        if is_better:
            self.best_epoch, self.best, self.waited = epoch, value, 0
        else:
            self.waited += 1
        return is_better
