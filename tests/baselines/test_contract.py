"""What must hold for any file in baselines/."""

import numpy as np
import pytest

from multitask_recommender import registry
from multitask_recommender.evaluation import Scorer
from multitask_recommender.threads import side_by_side

USERS = np.array([2, 0, 3, 2], np.int32)  # with the unknown user, and one twice


def fit(name, train, seed=1, positives=None):
    module = registry.load("baselines", name)
    return module.fit(registry.settings_class("baselines", name)(), train, seed, positives)


NAMES = registry.names("baselines")
RETRIEVES_NOT = {"biased_mf"}


def test_all_but_those_for_labels_alone_retrieve(ratings):
    assert {name for name in NAMES if not isinstance(fit(name, ratings), Scorer)} == RETRIEVES_NOT


@pytest.mark.parametrize("name", sorted(set(NAMES) - RETRIEVES_NOT))
class TestEveryBaselineThatRetrieves:
    def test_scores_are_finite_and_one_for_each_known_item(self, name, ratings):
        scores = fit(name, ratings).score_block({"user_id": USERS})

        assert scores.shape == (4, 5) and scores.dtype == np.float32
        assert np.isfinite(scores).all()

    def test_scores_do_not_depend_on_the_block_they_are_asked_in(self, name, ratings):
        scorer = fit(name, ratings)

        together = scorer.score_block({"user_id": USERS})

        for row, user in enumerate(USERS):
            alone = scorer.score_block({"user_id": np.array([user], np.int32)})
            np.testing.assert_allclose(alone[0], together[row], rtol=1e-6)

    def test_overwritten_scores_are_scored_again_as_before(self, name, ratings):
        scorer = fit(name, ratings)
        scores = scorer.score_block({"user_id": USERS})
        expected = scores.copy()
        scores[:] = -np.inf

        np.testing.assert_array_equal(scorer.score_block({"user_id": USERS}), expected)

    def test_the_same_seed_gives_the_same_scores(self, name, ratings):
        first, second = (fit(name, ratings).score_block({"user_id": USERS}) for _ in range(2))

        np.testing.assert_array_equal(first, second)

    def test_scores_are_the_same_from_several_threads(self, name, ratings):
        scorer = fit(name, ratings)
        expected = scorer.score_block({"user_id": USERS})

        def work(part):
            return [scorer.score_block({"user_id": USERS}) for _ in range(50)]

        for parts in side_by_side(work, range(4)):
            for scores in parts:
                np.testing.assert_allclose(scores, expected, rtol=1e-6)

    def test_items_are_scored_by_the_positives_alone(self, name, ratings):
        positives = np.array([1, 0, 1, 0, 1, 0], bool)

        scores = fit(name, ratings, positives=positives).score_block({"user_id": USERS})

        alone = fit(name, ratings.take(positives)).score_block({"user_id": USERS})
        np.testing.assert_array_equal(scores, alone)


@pytest.mark.parametrize("name", NAMES)
class TestEveryBaseline:
    def test_labels_are_in_their_range_and_never_observed_ones_left_out(self, name, ratings):
        queries = {"user_id": USERS, "item_id": np.array([1, 2, 0, 5], np.int32)}

        predictions = fit(name, ratings).rank(queries)

        assert set(predictions) <= {"rating", "like"}
        for label, (low, high) in {"rating": (1, 5), "like": (0, 1)}.items():
            values = predictions.get(label, np.full(4, low))
            assert values.shape == (4,) and ((values >= low) & (values <= high)).all()

    def test_labels_are_predicted_by_all_rows_and_by_the_seed(self, name, ratings):
        queries = {"user_id": USERS, "item_id": np.array([1, 2, 0, 5], np.int32)}
        positives = np.array([1, 0, 1, 0, 1, 0], bool)

        everything = fit(name, ratings).rank(queries)
        again = fit(name, ratings, positives=positives).rank(queries)

        assert everything.keys() == again.keys()
        for label, values in everything.items():
            np.testing.assert_array_equal(values, again[label])

    def test_a_fit_takes_no_row_of_the_caller_away(self, name, ratings):
        before = [ratings.user_ids.copy(), ratings.item_ids.copy()]

        fit(name, ratings)

        np.testing.assert_array_equal(before, [ratings.user_ids, ratings.item_ids])
