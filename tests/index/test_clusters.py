"""Clusters of vectors for inner products."""

import numpy as np

from multitask_recommender.index import _clusters


def test_heaps_apart_are_clusters_of_their_own():
    noise = 0.01 * np.random.default_rng(0).standard_normal((9, 2))
    heaps = np.array([[1.0, 0.0]] * 5 + [[0.0, 1.0]] * 4)

    clusters = _clusters.fit((heaps + noise).astype(np.float32), 2, seed=1)

    assert len(set(clusters.assigned[:5])) == len(set(clusters.assigned[5:])) == 1
    assert sorted(clusters.counts) == [4, 5]
    first = clusters.assigned[0]
    np.testing.assert_allclose(clusters.means[first], [1, 0], atol=0.02)
    expected = np.sqrt(noise[:5].var(axis=0).mean())
    np.testing.assert_allclose(clusters.spreads[first], expected, rtol=1e-4)


def test_long_vectors_are_clusters_of_their_own():
    """Of one direction, five of length 1 and three of length 3."""
    noise = 0.01 * np.random.default_rng(0).standard_normal((8, 2))
    heaps = np.array([[1.0, 0.0]] * 5 + [[3.0, 0.0]] * 3)

    clusters = _clusters.fit((heaps + noise).astype(np.float32), 2, seed=0)

    np.testing.assert_array_equal(clusters.assigned[:5], [clusters.assigned[0]] * 5)
    assert clusters.assigned[7] != clusters.assigned[0]


def test_no_cluster_is_empty():
    clusters = _clusters.fit(np.ones((20, 3), np.float32), 4, seed=0)

    assert clusters.counts.tolist() == [20]
    assert clusters.means.shape == (1, 3)
    assert set(clusters.assigned) == {0}


def test_every_vector_is_assigned_though_few_are_learnt_from(monkeypatch):
    monkeypatch.setattr(_clusters, "_SAMPLE", 2)
    monkeypatch.setattr(_clusters, "_ROWS", 7)  # at a time
    vectors = np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32)

    clusters = _clusters.fit(vectors, 5, seed=0)

    assert clusters.counts.sum() == len(clusters.assigned) == 50
    for cluster, mean in enumerate(clusters.means):
        own = vectors[clusters.assigned == cluster]
        np.testing.assert_allclose(mean, own.mean(axis=0), rtol=1e-4, atol=1e-6)
