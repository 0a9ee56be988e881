"""The inverted file: which leaves it reads."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.errors import ConfigError
from multitask_recommender.index import ivf
from multitask_recommender.index.settings.ivf import Settings

NOTHING = np.zeros((1, 0), np.int32)


def search(index, query, number, excluded=NOTHING):
    return index(tf.constant([query], tf.float32), tf.constant(number), tf.constant(excluded))


@pytest.fixture
def two_heaps():
    """70 items about (1, 0), 30 about (0, 1): ids 1..70 and 71..100."""
    noise = 0.01 * np.random.default_rng(0).standard_normal((100, 2))
    return (np.repeat([[1.0, 0.0], [0.0, 1.0]], [70, 30], axis=0) + noise).astype(np.float32)


def test_a_query_reads_its_leaves_and_no_others(two_heaps):
    """30 items in one block, 70 in two: one leaf of two is half of three blocks, rounded up."""
    index = ivf.Index(Settings(leaves=2, searched=1), two_heaps)

    _, ids = search(index, [0.1, 1.0], 5)
    assert (ids.numpy() > 70).all()

    _, ids = search(index, [1.0, 0.1], 5)
    assert (ids.numpy() <= 70).all()


def test_leaves_are_read_until_there_is_room_for_what_is_wanted(two_heaps):
    """64 wanted read two blocks more than the one leaf that is searched."""
    index = ivf.Index(Settings(leaves=2, searched=1), two_heaps)

    assert len(set(search(index, [0.1, 1.0], 100)[1].numpy()[0])) == 100

    excluded = np.arange(71, 101, dtype=np.int32)[None]
    assert (search(index, [0.1, 1.0], 60, excluded)[1].numpy() > 0).all()


def test_a_leaf_of_spread_out_items_is_read_before_one_of_a_higher_mean():
    """Among 40 items between -8 and 8 are higher products than those of 40 about 1."""
    wide = np.linspace(-8, 8, 40)
    narrow = np.linspace(0.9, 1.1, 40)
    vectors = np.concatenate([wide, narrow])[:, None].astype(np.float32)
    vectors = np.column_stack([vectors, np.repeat([9.0, 0.0], 40)]).astype(np.float32)
    index = ivf.Index(Settings(leaves=2, searched=1), vectors)

    scores, ids = search(index, [1.0, 0.0], 3)

    np.testing.assert_array_equal(ids, [[40, 39, 38]])
    np.testing.assert_allclose(scores, [vectors[[39, 38, 37], 0]])


def test_its_recall_grows_with_the_leaves_that_it_searches(clustered, exact):
    vectors, queries = clustered(3000, 40)
    nothing = np.zeros((40, 0), np.int32)
    best = [ids for _, ids in exact(vectors, queries, 10, nothing)]
    built = ivf.Index(Settings(leaves=50, searched=1), vectors)

    recalls = []
    for searched in (1, 5, 50):
        index = built.searching(Settings(leaves=50, searched=searched))
        _, ids = index(tf.constant(queries), tf.constant(10), tf.constant(nothing))
        hits = [np.intersect1d(row, own) for row, own in zip(ids.numpy(), best, strict=True)]
        recalls.append(np.concatenate(hits).size / 400)

    assert recalls[0] < recalls[1] <= recalls[2] == 1.0
    assert recalls[1] > 0.9


def test_another_seed_makes_other_leaves(clustered):
    vectors, _ = clustered(500)

    one, other = (ivf.Index(Settings(leaves=20, searched=1, seed=s), vectors) for s in (0, 1))

    assert one.variables[0].shape != other.variables[0].shape or any(
        (a.numpy() != b.numpy()).any() for a, b in zip(one.variables, other.variables, strict=True)
    )


def test_items_that_are_all_alike_stand_in_one_leaf():
    vectors = np.ones((100, 2), np.float32)

    _, ids = search(ivf.Index(Settings(leaves=7, searched=1), vectors), [1.0, 1.0], 3)

    np.testing.assert_array_equal(ids, [[1, 2, 3]])


def test_more_leaves_than_items_are_refused():
    with pytest.raises(ConfigError, match="leaves is 4, but there are only 3 items"):
        ivf.Index(Settings(leaves=4, searched=1), np.ones((3, 2), np.float32))


def test_settings_that_are_left_open_build_nothing():
    with pytest.raises(ConfigError, match="leaves and searched of an index must be given"):
        ivf.Index(Settings(), np.ones((3, 2), np.float32))
