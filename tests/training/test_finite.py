"""Weights that are no numbers, wherever they stand in a table."""

import pytest
import tensorflow as tf

from multitask_recommender.training import _finite


@pytest.mark.parametrize("row", [0, 5, 6])
def test_large_weights_are_looked_through_some_numbers_at_a_time(monkeypatch, row):
    monkeypatch.setattr(_finite, "_NUMBERS", 6)
    weight = tf.Variable(tf.ones([7, 2]))
    assert _finite.is_finite(weight)

    weight.scatter_nd_update([[row, 1]], [float("inf")])

    assert not _finite.is_finite(weight)
