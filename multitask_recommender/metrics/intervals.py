"""Is the difference between two models more than chance? Intervals of paired differences."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Interval:
    """The mean of a paired difference, and where it lies with the given confidence."""

    mean: float
    low: float
    high: float
    confidence: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def paired_interval(a: np.ndarray, b: np.ndarray, confidence: float = 0.95) -> Interval | None:
    """Student's t-interval of mean(a - b) over the same users or rows, in the same order [N].

    None with fewer than two pairs. Rows of one user are not independent: compare means by user.
    Raises ValueError where the arrays do not pair up.
    """
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(
            f"Paired values have shapes {a.shape} and {b.shape}, expected two of the same [N]: "
            "evaluate both models on the same held-out rows."
        )
    if len(a) < 2:
        return None
    import scipy.stats  # half a second, and only comparisons need it

    difference = a.astype(np.float64) - b
    mean = float(difference.mean())
    error = float(difference.std(ddof=1)) / np.sqrt(len(difference))
    reach = float(scipy.stats.t.ppf((1 + confidence) / 2, len(difference) - 1)) * error
    return Interval(mean, mean - reach, mean + reach, confidence)
