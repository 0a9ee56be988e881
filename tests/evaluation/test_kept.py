"""What a run keeps for comparisons: by user, by row, and by popularity."""

import numpy as np
import pytest

from multitask_recommender.evaluation import Evaluator, Settings, kept
from multitask_recommender.evaluation.evaluator import Evaluation


class Scorer:
    """Likes items in the order of their ids; says .25 for every like and 3 stars."""

    def score_block(self, queries):
        return np.tile(np.arange(6, 0, -1, dtype=np.float32), (len(queries["user_id"]), 1))

    def rank(self, queries):
        ones = np.ones(len(queries["user_id"]), np.float32)
        return {"like": ones / 4, "rating": 3 * ones}


@pytest.fixture
def evaluated(tiny):
    """The last four rows of `tiny` (users 3, 3, 4, 1) held out, with no cut-off but 2."""
    seen, held_out = tiny.take(np.arange(6)), tiny.take(np.arange(6, 10))
    evaluator = Evaluator([seen], held_out, Settings(protocols=["full"], cutoffs=[2]))
    kinds = {"like": "binary", "rating": "rating"}
    return evaluator(Scorer(), kinds, keep_arrays=True), held_out, evaluator


def test_users_have_their_own_values_under_raw_ids(evaluated):
    found, held_out, evaluator = evaluated

    table = kept.per_user(found, held_out, evaluator.users)

    # ann has met items 1, 2, 3 and is asked for 1, which is no candidate; eve has met 1 and is
    # asked for 2 and 5, joe has met nothing and is asked for 1.
    assert table["user"].to_list() == ["ann", "eve", "joe"]
    assert table["full/recall@2"].to_list() == [0, 0.5, 1]
    assert table["full/recall@2"].mean() == pytest.approx(found.metrics["test/full/recall@2"])
    assert not [name for name in table.columns if "accuracy" in name or "pair" in name]


def test_rows_have_targets_and_predictions_where_they_are_observed(evaluated):
    found, held_out, _ = evaluated

    table = kept.per_row(found, held_out)

    likes = table.filter(table["label"] == "like")
    assert likes["user"].to_list() == ["eve", "joe", "ann"]  # the second row is not observed
    assert likes["target"].to_list() == [0, 0, 1]
    assert likes["prediction"].to_list() == [0.25] * 3
    stars = table.filter(table["label"] == "rating")
    assert stars["target"].to_list() == [2, 5, 3, 4]


def test_nothing_predicted_is_an_empty_table(tiny):
    assert len(kept.per_row(Evaluation({}, {}), tiny)) == 0


def test_recall_by_popularity_by_hand():
    arrays = {
        "test/full/pair_rank": np.array([1, 30, 20, 5]),
        "test/full/pair_popularity": np.array([0.9, 0.95, 0.2, 0.1]),
    }

    assert kept.popularity_recall(arrays, "test", 20) == [
        {"from": 0.0, "to": 0.2, "pairs": 2, "recall@20": 1.0},
        {"from": 0.8, "to": 1.0, "pairs": 2, "recall@20": 0.5},
    ]
    assert kept.popularity_recall({}, "test", 20) == []
