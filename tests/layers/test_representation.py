"""What heads read of distinct vectors."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.layers.representation import Representation

ROWS = {"query_rows": tf.constant([1, 0, 1]), "candidate_rows": tf.constant([2, 2, 0])}
QUERIES = tf.constant([[1.0, 2.0], [3.0, 4.0]])
CANDIDATES = tf.constant([[1.0, -1.0], [9.0, 9.0], [0.0, 5.0]])
FIELDS = (tf.constant([[7.0], [8.0], [9.0]]),)


def test_a_pair_is_query_candidate_product_and_fields():
    pair = Representation(QUERIES, CANDIDATES, **ROWS, fields=FIELDS).pair

    assert pair.numpy().tolist() == [
        [3, 4, 0, 5, 0, 20, 7],
        [1, 2, 0, 5, 0, 10, 8],
        [3, 4, 1, -1, 3, -4, 9],
    ]


def test_ranking_vectors_come_before_those_of_retrieval():
    ranking = {"ranking_queries": QUERIES[:, :1], "ranking_candidates": CANDIDATES[:, 1:]}

    pair = Representation(QUERIES, CANDIDATES, **ROWS, **ranking).pair

    assert pair.numpy().tolist() == [[3, 5, 15], [1, 5, 5], [3, -1, -3]]


def test_dropout_is_of_the_product_alone():
    rows = {"query_rows": tf.zeros([500], tf.int32), "candidate_rows": tf.zeros([500], tf.int32)}
    dropout = (0.4, tf.constant([1, 2]))

    pair = Representation(QUERIES, CANDIDATES, **rows, product_dropout=dropout).pair.numpy()

    np.testing.assert_array_equal(pair[:, :4], np.tile([[1, 2, 1, -1]], [500, 1]))
    kept = pair[:, 4] != 0
    assert kept.mean() == pytest.approx(0.6, abs=0.07)
    np.testing.assert_allclose(pair[kept, 4], 1 / 0.6, rtol=1e-6)
