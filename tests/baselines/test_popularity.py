import numpy as np

from multitask_recommender import columns
from multitask_recommender.baselines.popularity import Settings, fit


def test_scores_are_training_counts_for_everybody(ratings):
    scores = fit(Settings(), ratings, seed=1).score_block({"user_id": np.array([0, 3], np.int32)})

    assert scores.tolist() == [[3, 2, 1, 0, 0]] * 2


def test_scores_count_positives_where_a_label_says_which_these_are(ratings):
    scorer = fit(Settings(), ratings, seed=1, positives=ratings.labels["like"] == 1)

    assert scorer.score_block({"user_id": np.array([3], np.int32)}).tolist() == [[1, 1, 0, 0, 0]]


def test_labels_are_shrunken_means_over_observed_rows(ratings):
    scorer = fit(Settings(shrinkage=2.0), ratings, seed=1)
    items = np.array([1, 3, 4, 0], np.int32)

    labels = scorer.rank({"user_id": np.ones(4, np.int32), "item_id": items})

    # Overall mean rating 3: (11 + 2 * 3) / 5 and (1 + 2 * 3) / 3; overall like 2 of 4.
    np.testing.assert_allclose(labels["rating"], [17 / 5, 7 / 3, 3, 3], rtol=1e-6)
    np.testing.assert_allclose(labels["like"], [(1 + 1) / 4, 1 / 3, 0.5, 0.5], rtol=1e-6)


def test_without_shrinkage_an_item_never_seen_gets_the_overall_mean(ratings):
    scorer = fit(Settings(shrinkage=0.0), ratings, seed=1)

    labels = scorer.rank({"user_id": np.ones(2, np.int32), "item_id": np.array([2, 5], np.int32)})

    np.testing.assert_allclose(labels["rating"], [3, 3])
    np.testing.assert_allclose(labels["like"], [1, 0.5])


def test_rows_in_blocks_come_to_the_same(monkeypatch, ratings):
    items, users = np.arange(6, dtype=np.int32), np.ones(6, np.int32)
    expected = fit(Settings(), ratings, seed=1).rank({"user_id": users, "item_id": items})
    monkeypatch.setattr(columns, "_BLOCK", 4)

    found = fit(Settings(), ratings, seed=1).rank({"user_id": users, "item_id": items})

    for label, values in expected.items():
        np.testing.assert_array_equal(found[label], values)
