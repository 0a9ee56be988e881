"""Synthetic rows: their shape, and that the oracle knows what was planted."""

import numpy as np
import pydantic
import pytest
from sklearn.metrics import roc_auc_score

from multitask_recommender.datasets import synthetic
from multitask_recommender.errors import ConfigError


@pytest.fixture(scope="module")
def sample():
    return synthetic.read(synthetic.Settings())


def small(**settings):
    return synthetic.read(synthetic.Settings(**{"users": 30, "items": 50, "rows": 700, **settings}))


def test_the_default_has_the_shape_of_movielens_100k(sample):
    assert (len(sample), sample.num_users, sample.num_items) == (100_000, 943, 1_682)
    assert sample.users.num_known == len(sample.users.raw_ids)
    assert sorted(sample.users.features) == ["age", "gender", "occupation"]
    assert sorted(sample.items.features) == ["genres", "title", "year"]


def test_pairs_are_distinct_and_rows_are_in_order_of_time(sample):
    pairs = sample.user_ids.astype(np.int64) * 10_000 + sample.item_ids

    assert len(np.unique(pairs)) == len(sample)
    assert (np.diff(sample.timestamps) >= 0).all()


def test_stars_are_whole_and_like_begins_at_four(sample):
    stars = sample.labels["rating"]

    assert np.unique(stars).tolist() == [1, 2, 3, 4, 5]
    np.testing.assert_array_equal(sample.labels["like"], stars >= 4)


def test_the_same_seed_gives_the_same_rows_and_another_others():
    once, again, other = small(), small(), small(seed=7)

    np.testing.assert_array_equal(once.item_ids, again.item_ids)
    np.testing.assert_array_equal(once.labels["rating"], again.labels["rating"])
    assert not np.array_equal(once.item_ids, other.item_ids)


@pytest.mark.parametrize(
    ("users", "items", "rows"), [(1, 9, 9), (9, 1, 4), (30, 50, 1500), (30, 50, 1499), (7, 3, 1)]
)
def test_any_shape_has_exactly_the_rows_asked_for(users, items, rows):
    data = small(users=users, items=items, rows=rows)

    assert len(data) == rows
    assert len(set(zip(data.user_ids, data.item_ids, strict=True))) == rows


def test_features_are_codes_within_their_vocabularies(sample):
    for feature in {**sample.users.features, **sample.items.features}.values():
        assert feature.values.min() >= 0 and feature.values.max() <= len(feature.vocabulary)
        assert not feature.values[0].any()  # the unknown


def test_features_tell_something_of_the_structure(sample):
    """Items of the same first genre have more alike scores than items at large."""
    scores = sample.oracle.score_block({"user_id": np.arange(1, 944)})  # [U, I]
    scores = (scores - scores.mean(axis=0)).T  # taste: popularity taken away
    genre = sample.items.features["genres"].values[1:, 0]
    alike = np.corrcoef(scores)
    same = genre[:, None] == genre

    assert alike[same & ~np.eye(len(genre), dtype=bool)].mean() > alike[~same].mean() + 0.1


def test_score_block_is_a_log_distribution_over_the_items(sample):
    scores = sample.oracle.score_block({"user_id": np.array([1, 943, 0])})

    assert scores.shape == (3, 1_682) and scores.dtype == np.float32
    np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1.0, rtol=1e-4)


def test_first_draws_follow_the_planted_distribution():
    """One draw a user, so nothing is without replacement: frequencies are the mean chances."""
    data = small(users=20_000, items=5, rows=20_000)
    expected = np.exp(data.oracle.score_block({"user_id": np.arange(1, 20_001)})).mean(axis=0)

    frequencies = np.bincount(data.item_ids, minlength=6)[1:] / 20_000

    np.testing.assert_allclose(frequencies, expected, atol=0.015)  # 4 standard errors


def test_the_oracle_is_calibrated(sample):
    pairs = {"user_id": sample.user_ids, "item_id": sample.item_ids}
    expected = sample.oracle.rank(pairs)

    for label in ("like", "rating"):
        truth, guess = sample.labels[label], expected[label]
        assert guess.shape == (100_000,) and guess.dtype == np.float32
        # Within each tenth of the guesses, the mean of the truth is the mean of the guesses.
        for tenth in np.array_split(np.argsort(guess), 10):
            assert truth[tenth].mean() == pytest.approx(guess[tenth].mean(), abs=0.04)
    assert roc_auc_score(sample.labels["like"], expected["like"]) > 0.75


def test_the_unknown_user_and_item_are_answered_with_the_mean(sample):
    answer = sample.oracle.rank({"user_id": np.array([0, 0, 5]), "item_id": np.array([3, 0, 0])})

    assert (
        np.isfinite(answer["rating"]).all() and ((answer["like"] > 0) & (answer["like"] < 1)).all()
    )


def test_personal_scores_beat_popularity_by_far(sample):
    scores = sample.oracle.score_block({"user_id": np.arange(1, 944)})  # [U, I]
    popularity = np.bincount(sample.item_ids, minlength=1_683)[1:]
    popular = np.argsort(np.argsort(-popularity))[sample.item_ids - 1] < 100
    places = np.argsort(np.argsort(-scores, axis=1), axis=1)
    personal = places[sample.user_ids - 1, sample.item_ids - 1] < 100

    assert personal.mean() > 1.3 * popular.mean()


def test_max_rows_takes_the_first_rows_and_leaves_the_ids_alone():
    whole, cut = small(), small(max_rows=10)

    np.testing.assert_array_equal(cut.item_ids, whole.item_ids[:10])
    assert (cut.num_users, cut.num_items) == (30, 50)


def test_more_rows_than_pairs_are_refused():
    with pytest.raises(pydantic.ValidationError, match="rows is 7, but 2 users and 3 items have"):
        synthetic.Settings(users=2, items=3, rows=7)


def test_there_are_no_folds():
    with pytest.raises(ConfigError, match="split.fold is 'u1': synthetic has no folds"):
        synthetic.read(synthetic.Settings(), "u1")
