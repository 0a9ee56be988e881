"""Recall against an exact search."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.index.tuning import exact
from multitask_recommender.index.tuning.recall import HeldOut

VECTORS = np.array([[1.0], [5.0], [3.0], [4.0], [2.0]], np.float32)  # ids by value: 2 4 3 5 1


def found(*rows):
    """An index that answers the same to whatever queries."""
    return lambda queries, number, excluded: (
        tf.zeros([tf.shape(queries)[0], number]),
        tf.constant(rows, tf.int32)[: tf.shape(queries)[0]],
    )


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([2, 4, 3], [1, 5, 3], 1.0),
        ([3, 2, 4], [3, 1, 5], 1.0),  # the order does not count
        ([2, 4, 5], [1, 5, 4], 4 / 6),
        ([2, 0, 0], [0, 0, 0], 1 / 6),  # what was not found is no item
        ([1, 5, 0], [2, 4, 0], 0.0),  # another query's best is not one's own
    ],
)
def test_recall_is_the_share_of_each_querys_own_best(first, second, expected):
    queries = np.array([[1.0], [-1.0]], np.float32)

    recall, rate = HeldOut.of(VECTORS, queries, 3).measure(found(first, second))

    assert recall == pytest.approx(expected)
    assert rate > 0


def test_the_exact_best_are_found_by_blocks_of_items(monkeypatch):
    monkeypatch.setattr(exact, "_ITEMS", 7)
    generator = np.random.default_rng(0)
    vectors = generator.standard_normal((40, 3)).astype(np.float32)
    queries = generator.standard_normal((6, 3)).astype(np.float32)

    best = exact.best(vectors, queries, 9)

    expected = np.argsort(-queries @ vectors.T, axis=1)[:, :9] + 1
    np.testing.assert_array_equal(np.sort(best), np.sort(expected))


def test_where_items_are_fewer_all_are_the_best():
    assert np.sort(exact.best(VECTORS, VECTORS[:2], 9)).tolist() == [[1, 2, 3, 4, 5]] * 2
