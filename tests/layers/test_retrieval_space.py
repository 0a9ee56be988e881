import types

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.layers.retrieval_space import RetrievalSpace, log_popularity

COUNTS = np.array([0, 3, 0, 8])  # of items 1, 2, 3
LOGS = np.log([4, 1, 9]) - np.log([4, 1, 9]).mean()
QUERIES = tf.constant([[3.0, 4.0], [0.0, 0.0]])
ITEMS = tf.constant([[1.0, 0.0], [0.0, -2.0]])  # of items 1 and 3
IDS = tf.constant([1, 3])


def scores(temperature=1.0, **settings):
    retrieval = types.SimpleNamespace(temperature=temperature)
    chosen = {"biases": log_popularity(COUNTS), "normalise": False, "retrieval": retrieval}
    space = RetrievalSpace(**chosen | settings)
    return tf.matmul(space.queries(QUERIES), space.items(ITEMS, IDS), transpose_b=True)


def test_scores_are_dot_products_plus_the_log_of_popularity():
    found = scores()

    np.testing.assert_allclose(found, [[3 + LOGS[0], -8 + LOGS[2]], LOGS[[0, 2]]], rtol=1e-6)


def test_divided_by_the_temperature_the_bias_is_the_log_of_popularity():
    found = scores(normalise=True, temperature=0.25) / 0.25

    cosines = np.array([[0.6, -0.8], [0, 0]])  # nothing has no direction
    np.testing.assert_allclose(found, cosines / 0.25 + LOGS[[0, 2]], rtol=1e-6)


def test_without_a_bias_vectors_are_compared_alone():
    np.testing.assert_allclose(scores(biases=None), [[3, -8], [0, 0]], rtol=1e-6)


@pytest.mark.parametrize("retrieval", [None, types.SimpleNamespace(temperature=1.0)])
def test_biases_learn_where_a_task_reads_them(retrieval):
    space = RetrievalSpace(log_popularity(COUNTS), False, retrieval)

    assert len(space.trainable_weights) == (retrieval is not None)
