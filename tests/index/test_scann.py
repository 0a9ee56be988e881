"""ScaNN: what it finds with few leaves, and that its scores are exact."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import columns
from multitask_recommender.errors import ConfigError
from multitask_recommender.index import scann
from multitask_recommender.index.settings.scann import Settings


@pytest.fixture
def data(clustered):
    return clustered(3000, 40)


def answers(index, queries, number, excluded=None):
    if excluded is None:
        excluded = np.zeros((len(queries), 0), np.int32)
    return index(tf.constant(queries), tf.constant(number), tf.constant(excluded))


def test_its_recall_grows_with_what_it_searches_and_reorders(data, exact):
    vectors, queries = data
    best = [ids for _, ids in exact(vectors, queries, 10, np.zeros((40, 0), np.int32))]
    built = scann.Index(Settings(leaves=50, searched=1, reordered=10), vectors)

    recalls = []
    for searched, reordered in ((1, 10), (25, 10), (25, 200), (50, 3000)):
        settings = Settings(leaves=50, searched=searched, reordered=reordered)
        _, ids = answers(built.searching(settings), queries, 10)
        hits = [np.intersect1d(row, own) for row, own in zip(ids.numpy(), best, strict=True)]
        recalls.append(np.concatenate(hits).size / 400)

    assert recalls[0] < recalls[1] < recalls[2] <= recalls[3] == 1.0


def test_its_scores_are_exact_though_what_it_searches_is_quantised(data):
    vectors, queries = data
    index = scann.Index(Settings(leaves=50, searched=5, reordered=20), vectors)

    scores, ids = answers(index, queries, 10)

    products = np.einsum("qd,qnd->qn", queries, vectors[ids.numpy() - 1])
    np.testing.assert_allclose(scores, products, rtol=1e-5)


def test_what_is_left_out_starves_no_query(data):
    vectors, queries = data
    index = scann.Index(Settings(leaves=50, searched=1, reordered=10), vectors)
    _, best = answers(index, queries, 60)

    scores, ids = answers(index, queries, 10, best.numpy())

    assert (ids.numpy() > 0).all()
    assert not any(set(row) & set(out) for row, out in zip(ids.numpy(), best.numpy(), strict=True))


def test_more_than_its_leaves_hold_is_found_in_others(data):
    vectors, queries = data
    index = scann.Index(Settings(leaves=50, searched=1, reordered=10), vectors)

    _, ids = answers(index, queries, 2000)

    assert (ids.numpy() > 0).mean() > 0.99


def test_vectors_are_kept_once(data):
    index = scann.Index(Settings(leaves=50, searched=1, reordered=10), data[0])

    kept = [each for each in index.variables if each.dtype == tf.float32]

    assert sum(int(tf.size(each.value())) for each in kept) < 1.1 * data[0].size


def test_a_shared_index_answers_as_its_own_does_in_every_function(data):
    vectors, queries = data
    index = scann.Index(Settings(leaves=50, searched=5, reordered=20), vectors)
    shared = index.shared()
    expected = answers(index, queries, 10)

    for _ in range(2):
        search = tf.function(lambda: answers(shared, queries, 10), autograph=False)
        for found, own in zip(search(), expected, strict=True):
            np.testing.assert_array_equal(found, own)


def test_settings_that_are_left_open_build_nothing(data):
    with pytest.raises(ConfigError, match="searched and reordered of an index must be given"):
        scann.Index(Settings(leaves=3), data[0])


def test_vectors_in_memory_of_their_own_are_held_once(data):
    """They are half of what an index of millions of items takes."""
    vectors = columns.empty(data[0].shape, np.float32)
    vectors[...] = data[0]

    index = scann.Index(Settings(leaves=50, searched=5, reordered=20), vectors)
    vectors[0] = 77.0

    np.testing.assert_array_equal(index.rows()[0], vectors[0])
