"""Ranking metrics by hand, and against scikit-learn."""

import numpy as np
import pytest
import sklearn.metrics

from multitask_recommender import metrics
from multitask_recommender.errors import ConfigError
from multitask_recommender.metrics import ranking
from multitask_recommender.metrics.found import found

CUTOFFS = np.array([1, 3, 5])


@pytest.fixture
def two_queries():
    """Query 0: ranks 5 and 2, one of three missed. Query 1: its only item is seventh."""
    queries = np.array([0, 1, 0, 0])
    return found(queries, np.array([5.0, 7.0, np.inf, 2.0]), np.array([3, 1]))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("recall", [[0, 1 / 3, 2 / 3], [0, 0, 0]]),
        ("precision", [[0, 1 / 3, 2 / 5], [0, 0, 0]]),
        ("hit_rate", [[0, 1, 1], [0, 0, 0]]),
        ("mrr", [[0, 1 / 2, 1 / 2], [0, 0, 0]]),
        ("map", [[0, (1 / 2) / 3, (1 / 2 + 2 / 5) / 3], [0, 0, 0]]),
    ],
)
def test_metrics_by_hand(two_queries, name, expected):
    np.testing.assert_allclose(getattr(ranking, name)(two_queries, CUTOFFS), expected)


def test_the_ideal_of_ndcg_and_map_is_cut_at_k():
    perfect = found(np.zeros(4, int), np.array([1.0, 2.0, 3.0, 4.0]), np.array([4]))

    np.testing.assert_allclose(ranking.ndcg(perfect, CUTOFFS), [[1, 1, 1]])
    np.testing.assert_allclose(ranking.map(perfect, CUTOFFS), [[1, 1, 1]])


def test_mrr_without_a_cutoff_reaches_the_last_item(two_queries):
    values = ranking.mrr(two_queries, np.array([np.inf]))

    np.testing.assert_allclose(values, [[1 / 2], [1 / 7]])


def test_ndcg_agrees_with_scikit_learn():
    generator = np.random.default_rng(0)
    for _ in range(20):
        gains = generator.integers(2, size=(1, 12))
        gains[0, 3] = 1
        scores = generator.permutation(12)[None] * 1.0
        ranks = (scores > scores.T).sum(axis=1) + 1.0
        item_ranks = ranks[gains[0] == 1]
        ours = found(np.zeros(len(item_ranks), int), item_ranks, np.array([len(item_ranks)]))

        expected = [sklearn.metrics.ndcg_score(gains, scores, k=k) for k in CUTOFFS]

        np.testing.assert_allclose(ranking.ndcg(ours, CUTOFFS)[0], expected)


def test_a_metric_is_found_by_name_and_cutoff():
    assert metrics.resolve(ranking, "recall@100") == (ranking.recall, 100)
    assert metrics.resolve(ranking, "mrr") == (ranking.mrr, np.inf)
    assert metrics.names(ranking) == ["hit_rate", "map", "mrr", "ndcg", "precision", "recall"]


@pytest.mark.parametrize("name", ["recal@5", "recall@0", "recall@x", "sums_within@5"])
def test_what_is_not_a_metric_is_refused(name):
    with pytest.raises(ConfigError, match=f"{name} is not a metric. Metrics here: hit_rate, map"):
        metrics.resolve(ranking, name)
