"""Clusters of item vectors for inner products, the same for the same seed.

K-means on vectors lifted to one length M, the largest: a coordinate sqrt(M^2 - |x|^2) is appended
(Bachrach et al., "Speeding Up the Xbox Recommender System", RecSys 2014), so that items are near
where they are answers to the same queries, and long vectors come together. It learns from a sample.
"""

import dataclasses

import numpy as np

_ITERATIONS = 8
_SAMPLE = 64  # items a cluster that it learns from
_ROWS = 1 << 13  # compared with all centres at a time


@dataclasses.dataclass(frozen=True)
class Clusters:
    """None of them is empty, so that there may be fewer than were asked for."""

    means: np.ndarray  # float32 [L, D]
    spreads: np.ndarray  # float32 [L], the deviation of a cluster's vectors in one dimension
    assigned: np.ndarray  # int32 [I]
    counts: np.ndarray  # int64 [L]


def fit(vectors: np.ndarray, number: int, seed: int) -> Clusters:
    """Clusters vectors [I, D] into at most `number`."""
    longest = max(float(np.square(rows).sum(axis=1).max()) for rows in _parts(vectors))  # M^2
    generator = np.random.default_rng(seed)
    size = min(len(vectors), number * _SAMPLE)
    chosen = np.sort(generator.choice(len(vectors), size, replace=False))
    sample = _lifted(vectors[chosen], longest)
    centres = sample[np.sort(generator.choice(size, number, replace=False))]
    for _ in range(_ITERATIONS):
        centres, _ = _moments(sample, *_without_empty(_nearest(sample, centres), number))
    nearest = [_nearest(_lifted(rows, longest), centres) for rows in _parts(vectors)]
    assigned, counts = _without_empty(np.concatenate(nearest), len(centres))
    return Clusters(*_moments(vectors, assigned, counts), assigned, counts)


def _parts(vectors: np.ndarray) -> list[np.ndarray]:
    return [vectors[start : start + _ROWS] for start in range(0, len(vectors), _ROWS)]


def _lifted(vectors: np.ndarray, longest: float) -> np.ndarray:
    """Vectors [I, D] on a sphere, [I, D + 1]: nearest is then the highest product."""
    rest = np.maximum(longest - np.square(vectors).sum(axis=1), 0)
    return np.column_stack([vectors, np.sqrt(rest)]).astype(np.float32)


def _nearest(vectors: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The nearest centre of each vector, int32 [I]."""
    halves = np.square(centres).sum(axis=1) / 2
    nearest = [np.argmax(rows @ centres.T - halves, axis=1) for rows in _parts(vectors)]
    return np.concatenate(nearest).astype(np.int32)


def _without_empty(assigned: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """The same clusters with numbers that leave out empty ones, and how many items each has."""
    counts = np.bincount(assigned, minlength=number)
    renamed = np.cumsum(counts > 0, dtype=np.int32) - 1
    return renamed[assigned], counts[counts > 0]


def _moments(
    vectors: np.ndarray, assigned: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of each cluster's vectors the mean, [L, D], and the deviation in one dimension, [L]."""
    order = np.argsort(assigned, kind="stable")
    means, spreads = np.empty((len(counts), vectors.shape[1]), np.float32), np.empty(len(counts))
    for cluster, rows in enumerate(np.split(order, np.cumsum(counts)[:-1])):
        means[cluster] = vectors[rows].mean(axis=0)
        spreads[cluster] = np.sqrt(vectors[rows].var(axis=0).mean())
    return means, spreads.astype(np.float32)
