"""Brute force is exact, however many groups and parts it takes."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.index import brute_force
from multitask_recommender.index.settings.brute_force import Settings


@pytest.mark.parametrize("num_items", [1, 63, 64, 1000])
@pytest.mark.parametrize("number", [1, 5, 40])
def test_ties_at_the_last_place_go_to_the_lower_id(num_items, number, exact):
    """Scores of few values: groups of equal maxima, too."""
    vectors = np.random.default_rng(0).integers(0, 3, (num_items, 1)).astype(np.float32)
    queries, excluded = np.ones((1, 1), np.float32), np.array([[1, 0, 77]], np.int32) % num_items
    index = brute_force.Index(Settings(), vectors)

    _, ids = index(tf.constant(queries), tf.constant(number), tf.constant(excluded))

    (_, expected), *_ = exact(vectors, queries, number, excluded)
    np.testing.assert_array_equal(ids[0], np.pad(expected, (0, number - len(expected))))


def test_queries_taken_in_parts_are_answered_as_together(monkeypatch, clustered):
    vectors, queries = clustered(300, 7)
    index = brute_force.Index(Settings(), vectors)
    arguments = tf.constant(queries), tf.constant(9), tf.constant(np.full((7, 1), 2, np.int32))
    together = index(*arguments)

    monkeypatch.setattr(brute_force, "MAX_CELLS", 2 * 320)  # two queries at a time

    for whole, parts in zip(together, index(*arguments), strict=True):
        np.testing.assert_allclose(parts, whole, rtol=1e-6)
