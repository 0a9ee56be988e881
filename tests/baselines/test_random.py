import dataclasses

import numpy as np
import scipy.stats

from multitask_recommender.baselines.random import Settings, fit
from multitask_recommender.interactions import Entities


def test_scores_are_uniform_and_differ_by_user_and_seed(ratings):
    many = dataclasses.replace(ratings, items=Entities(np.arange(5000), 5000))
    users = np.array([1, 2], np.int32)

    first, other = (fit(Settings(), many, seed).score_block({"user_id": users}) for seed in (1, 2))

    for line in (*first, *other):
        assert scipy.stats.kstest(line, "uniform").pvalue > 0.001
    for a, b in ((first[0], first[1]), (first[0], other[0]), (first[1], other[0])):
        assert abs(np.corrcoef(a, b)[0, 1]) < 0.06  # four standard errors


def test_labels_are_drawn_from_their_training_distribution(ratings):
    scorer = fit(Settings(), ratings, seed=1)
    users, items = (ids.ravel().astype(np.int32) for ids in np.indices([100, 100]))

    ratings = scorer.rank({"user_id": users, "item_id": items})["rating"]

    shares = np.bincount(ratings.astype(int), minlength=6)[1:] / len(ratings)
    np.testing.assert_allclose(shares, [1 / 6, 1 / 6, 2 / 6, 1 / 6, 1 / 6], atol=0.02)
