import numpy as np
import pytest

from multitask_recommender.ensembles.fused import Fused, Labels
from multitask_recommender.ensembles.recipe import Blend
from multitask_recommender.evaluation import Scorer
from tests.evaluation.conftest import TableScorer

# Two users beside the unknown one, three items.
FIRST = TableScorer([[0, 0, 0], [3, 2, 1], [0, 0, 3]], {"like": np.full((3, 4), 0.5)})
SECOND = TableScorer(
    [[0, 0, 0], [0, 40, 20], [10, 20, 30]],
    {"like": np.full((3, 4), 0.9), "rating": np.arange(12.0).reshape(3, 4)},
)
KINDS = {"like": "binary", "rating": "rating"}
QUERIES = {"user_id": np.array([1, 2]), "item_id": np.array([3, 1])}


def test_scores_are_weighted_sums_of_standardised_ones():
    fused = Fused([FIRST, SECOND], "weighted", {"next": Blend((0.75, 0.25))}, "next", KINDS)

    unit = np.sqrt(1.5)  # of three evenly spaced scores, the outer ones
    first = [[unit, 0, -unit], [-np.sqrt(0.5), -np.sqrt(0.5), np.sqrt(2)]]
    second = [[-unit, unit, 0], [-unit, 0, unit]]
    expected = 0.75 * np.array(first) + 0.25 * np.array(second)
    np.testing.assert_allclose(fused.score_block(QUERIES), expected, rtol=1e-6, atol=1e-7)


def test_reciprocal_ranks_are_added():
    blends = {"next": Blend((0.5, 0.5))}
    fused = Fused([FIRST, SECOND], "reciprocal_rank", blends, "next", KINDS)

    first, second = [[61, 62, 63], [63, 63, 61]], [[63, 61, 62], [63, 62, 61]]
    expected = 0.5 / np.array(first) + 0.5 / np.array(second)
    np.testing.assert_allclose(fused.score_block(QUERIES), expected, rtol=1e-6)


def test_a_member_without_weight_is_not_asked_for_scores():
    fused = Fused([FIRST, None], "stacked", {"next": Blend((1.0, 0.0))}, "next", {})

    assert fused.score_block(QUERIES).argmax(axis=1).tolist() == [0, 2]
    assert fused.seconds[0] > 0
    assert fused.seconds[1] == 0


def test_labels_are_of_the_members_that_predict_them():
    blends = {"like": Blend((0.5, 0.5)), "rating": Blend((0.0, 1.0))}
    fused = Fused([FIRST, SECOND], "weighted", blends, None, KINDS)

    said = fused.rank(QUERIES)

    np.testing.assert_allclose(said["like"], [0.75, 0.75], rtol=1e-6)
    np.testing.assert_allclose(said["rating"], [7, 9])  # user 1, item 3; user 2, item 1


def test_an_ensemble_that_only_predicts_scores_nothing():
    with pytest.raises(ValueError, match="No member of the ensemble retrieves"):
        Fused([FIRST], "weighted", {"like": Blend((1.0,))}, None, KINDS).score_block(QUERIES)


def test_a_predictor_of_labels_is_no_scorer():
    only = Labels(FIRST)

    assert not isinstance(only, Scorer)
    assert only.rank(QUERIES).keys() == {"like"}
