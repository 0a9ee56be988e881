"""Clusters of item vectors by k-means, from a sample, the same for the same seed."""

import dataclasses

import numpy as np

_ITERATIONS = 8
_SAMPLE = 64  # items a cluster that it learns from
_ROWS = 1 << 14  # compared with all centres at a time


@dataclasses.dataclass(frozen=True)
class Clusters:
    centres: np.ndarray  # float32 [L, D], the means of what is assigned to them
    assigned: np.ndarray  # int32 [I]


def fit(vectors: np.ndarray, number: int, seed: int) -> Clusters:
    """Clusters vectors [I, D] into at most `number`, some of which may be empty."""
    generator = np.random.default_rng(seed)
    size = min(len(vectors), number * _SAMPLE)
    sample = vectors[np.sort(generator.choice(len(vectors), size, replace=False))]
    centres = sample[np.sort(generator.choice(size, number, replace=False))]
    for _ in range(_ITERATIONS):
        centres = _means(sample, _nearest(sample, centres), centres)
    assigned = _nearest(vectors, centres)
    return Clusters(_means(vectors, assigned, centres), assigned)


def _nearest(vectors: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The nearest centre of each vector, [I]."""
    halves = np.square(centres).sum(axis=1) / 2
    nearest = np.empty(len(vectors), np.int32)
    for start in range(0, len(vectors), _ROWS):
        products = vectors[start : start + _ROWS] @ centres.T
        nearest[start : start + _ROWS] = np.argmax(products - halves, axis=1)
    return nearest


def _means(vectors: np.ndarray, assigned: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The means of what is assigned to each centre, [L, D]; one of nothing stays where it is."""
    means = centres.copy()
    counts = np.bincount(assigned, minlength=len(centres))
    order = np.argsort(assigned, kind="stable")
    starts = np.cumsum(counts) - counts
    for centre in np.flatnonzero(counts):
        rows = order[starts[centre] : starts[centre] + counts[centre]]
        means[centre] = vectors[rows].mean(axis=0)
    return means
