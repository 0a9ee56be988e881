"""Item vectors, and a search to compare with."""

from collections.abc import Callable

import numpy as np
import pytest


@pytest.fixture
def clustered() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Vectors of items [I, D] and of queries [Q, D] around the same centres."""

    def clustered(num_items, num_queries=50, dimension=8, clusters=20, seed=0):
        generator = np.random.default_rng(seed)
        centres = generator.standard_normal((clusters, dimension))

        def draw(number):
            around = centres[generator.integers(clusters, size=number)]
            noise = 0.5 * generator.standard_normal((number, dimension))
            return (around + noise).astype(np.float32)

        return draw(num_items), draw(num_queries)

    return clustered


@pytest.fixture
def exact() -> Callable[..., list[tuple[np.ndarray, np.ndarray]]]:
    """For each query, scores and ids by numpy: best first, of equals lower ids first."""

    def exact(vectors, queries, number, excluded):
        found = []
        for query, left_out in zip(queries, excluded, strict=True):
            scores = (vectors.astype(np.float64) @ query).round(5)  # equals are equal
            kept = np.setdiff1d(np.arange(1, len(vectors) + 1), left_out)
            order = kept[np.lexsort((kept, -scores[kept - 1]))][:number]
            found.append((scores[order - 1], order))
        return found

    return exact
