"""Item neighbours, by hand and against scikit-learn's cosines.

Item 1 was met by users 1, 2 and 3, item 2 by users 1 and 2, item 3 by user 1: the cosines are
2/sqrt(6) of items 1 and 2, 1/sqrt(3) of 1 and 3, and 1/sqrt(2) of 2 and 3.
"""

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from multitask_recommender.baselines import item_knn
from multitask_recommender.baselines.item_knn import Settings, fit
from multitask_recommender.interactions import Entities, Interactions

USERS = {"user_id": np.array([0, 2, 3], np.int32)}  # user 2 has met items 1 and 2, user 3 item 1
C12, C13, C23 = 2 / np.sqrt(6), 1 / np.sqrt(3), 1 / np.sqrt(2)


def test_scores_are_sums_of_cosines_with_what_the_user_met(ratings):
    scores = fit(Settings(shrinkage=0.0), ratings, seed=1).score_block(USERS)

    expected = [[0, 0, 0, 0, 0], [C12, C12, C13 + C23, 0, 0], [0, C12, C13, 0, 0]]
    np.testing.assert_allclose(scores, expected, rtol=1e-6)


def test_an_items_nearest_neighbours_alone_count_towards_it(ratings):
    """Of item 3 that is item 2, though item 2 is nearer to item 1."""
    scores = fit(Settings(shrinkage=0.0, neighbours=1), ratings, seed=1).score_block(USERS)

    np.testing.assert_allclose(scores[1:], [[C12, C12, C23, 0, 0], [0, C12, 0, 0, 0]], rtol=1e-6)


def test_shrinkage_is_added_to_the_norm(ratings):
    scores = fit(Settings(shrinkage=3.0), ratings, seed=1).score_block(USERS)

    expected = [0, 2 / (np.sqrt(6) + 3), 1 / (np.sqrt(3) + 3), 0, 0]
    np.testing.assert_allclose(scores[2], expected, rtol=1e-6)


def test_repeated_pairs_count_once_and_other_rows_than_positives_do_not(ratings):
    twice = ratings.take(np.tile(np.arange(6), 2))
    positives = np.array([1, 0, 0, 1, 1, 0], bool)

    once, again = (fit(Settings(), train, 1).score_block(USERS) for train in (ratings, twice))
    few = fit(Settings(shrinkage=0.0), ratings, 1, positives).score_block(USERS)

    np.testing.assert_array_equal(once, again)
    cosine = 1 / np.sqrt(2)  # item 1 of users 1 and 2, item 2 of user 2
    np.testing.assert_allclose(few, [[0] * 5, [cosine, cosine, 0, 0, 0], [0] * 5], rtol=1e-6)


@pytest.mark.parametrize("block_cells", [2**24, 30])
def test_cosines_are_those_of_scikit_learn_in_blocks_of_any_size(monkeypatch, block_cells):
    monkeypatch.setattr(item_knn, "_BLOCK_CELLS", block_cells)
    met = np.random.default_rng(3).random((17, 29)) < 0.2
    users, items = (ids.astype(np.int32) + 1 for ids in np.nonzero(met))
    train = Interactions(users, items, Entities(np.arange(17), 17), Entities(np.arange(29), 29))
    cosines = cosine_similarity(met.T)
    np.fill_diagonal(cosines, 0)

    every = {"user_id": np.arange(1, 18, dtype=np.int32)}
    scores = fit(Settings(shrinkage=0.0, neighbours=29), train, seed=1).score_block(every)

    np.testing.assert_allclose(scores, met @ cosines, atol=1e-5)
