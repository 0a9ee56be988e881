"""Differences of two models over several seeds, with errors, for many comparisons at once.

Both models are judged on the same users by every seed. A difference is the mean over seeds; its
error has two parts: of the users (a bootstrap over users of that mean) and of the seeds (their
deviation over the root of their number). What users and seeds do together is in both, so that
intervals are rather too wide than too narrow. With one seed, the error is of the users alone.
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from multitask_recommender.metrics.intervals import Interval

_DRAWS = 2000
_CELLS = 2**24  # of drawn weights that are held at once


@dataclasses.dataclass(frozen=True)
class Difference:
    """A mean difference, its standard error, and the degrees of freedom of the error."""

    mean: float
    error: float
    freedom: float

    @property
    def p_value(self) -> float:
        """Of no difference, two-sided, by Student's t."""
        if not self.error:
            return float(self.mean == 0)
        import scipy.stats  # half a second, and only comparisons need it

        return float(2 * scipy.stats.t.sf(abs(self.mean) / self.error, self.freedom))

    def interval(self, confidence: float) -> Interval:
        import scipy.stats

        reach = float(scipy.stats.t.ppf((1 + confidence) / 2, self.freedom)) * self.error
        return Interval(self.mean, self.mean - reach, self.mean + reach, confidence)


def difference(by_seed: np.ndarray, variance: float, num_units: int) -> Difference:
    """From the difference of each seed [S], and the variance of their mean that users make.

    Degrees of freedom are Welch and Satterthwaite's. num_units: users, at least 2.
    """
    parts = [(variance, num_units - 1)]
    if len(by_seed) > 1:
        parts.append((float(by_seed.var(ddof=1)) / len(by_seed), len(by_seed) - 1))
    total = sum(part for part, _ in parts)
    below = sum(part**2 / freedom for part, freedom in parts)
    freedom = total**2 / below if below else num_units - 1
    return Difference(float(by_seed.mean()), float(np.sqrt(total)), float(freedom))


def ratio_difference(
    a: np.ndarray,
    b: np.ndarray,
    sizes: np.ndarray,
    transform: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> Difference | None:
    """Of transform(sum of a / sum of sizes), and the same of b: a mean, or a root of a mean.

    a, b: sums over each user's rows, [S, U] by seed; sizes: how many rows, [U]. None with fewer
    than two users. Draws are the same for the same number of users. Raises ValueError where the
    arrays do not pair up.
    """
    if a.shape != b.shape or a.ndim != 2 or sizes.shape != a.shape[1:]:
        raise ValueError(
            f"Sums have shapes {a.shape} and {b.shape} with sizes {sizes.shape}, expected [S, U] "
            "twice with [U]: evaluate both models on the same users by the same seeds."
        )
    num_users = len(sizes)
    if num_users < 2:
        return None

    def of(weights: np.ndarray) -> np.ndarray:
        """Differences [D, S] with users counted by weights [D, U]."""
        totals = (weights @ sizes)[:, None]
        return transform(weights @ a.T / totals) - transform(weights @ b.T / totals)

    by_seed = of(np.ones((1, num_users)))[0]
    generator = np.random.default_rng(0)
    chances = np.full(num_users, 1 / num_users)
    step = max(1, _CELLS // num_users)
    drawn = [
        of(generator.multinomial(num_users, chances, min(step, _DRAWS - start))).mean(axis=1)
        for start in range(0, _DRAWS, step)
    ]
    return difference(by_seed, float(np.concatenate(drawn).var(ddof=1)), num_users)


def holm(p_values: Sequence[float], level: float = 0.05) -> list[float]:
    """The level at which each comparison is tested, so that any false one is found by `level`.

    Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of
    Statistics 1979: the smallest of m p-values at level / m, the next at level / (m - 1), until one
    is above its level; all that are left are tested at that level too. So an interval of
    confidence 1 - (its level) excludes 0 exactly where Holm finds a difference.
    """
    order = np.argsort(p_values, kind="stable")
    levels = np.empty(len(p_values))
    left = len(p_values)
    for place, index in enumerate(order):
        levels[index] = level / left
        if p_values[index] > level / left:
            levels[order[place:]] = level / left
            break
        left -= 1
    return levels.tolist()
