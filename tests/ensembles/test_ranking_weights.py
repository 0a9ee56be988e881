import numpy as np
import pytest
import sklearn.metrics

from multitask_recommender.ensembles.ranking_weights import Candidates

# Two users; candidates of the second are three, so that the last place is padding.
SCORES = np.array(
    [
        [[3, 0], [2, 1], [1, 3], [0, 2]],
        [[1, 3], [3, 1], [2, 2], [0, 0]],
    ],
    np.float32,
)
IS_CANDIDATE = np.array([[1, 1, 1, 1], [1, 1, 1, 0]], bool)


def candidates(relevant, num_relevant=(1, 1)):
    """relevant: cells of [2, 4]."""
    return Candidates(SCORES, IS_CANDIDATE, np.array(relevant), np.array(num_relevant))


def test_quality_is_ndcg_over_users():
    found = candidates([1, 2, 6], (2, 1))

    for weights in ([1.0, 0.0], [0.3, 0.7], [0.5, 0.5]):
        fused = SCORES @ np.array(weights, np.float32)
        fused.reshape(-1)[[1, 2, 6]] -= 1e-4  # ties count against the relevant ones
        expected = [
            sklearn.metrics.ndcg_score([[0, 1, 1, 0]], fused[:1], k=10),
            sklearn.metrics.ndcg_score([[0, 0, 1]], fused[1:, :3], k=10),
        ]
        assert found.quality(np.array(weights)) == pytest.approx(np.mean(expected))


def test_what_is_no_candidate_counts_as_missed():
    assert candidates([1, 6], (2, 1)).quality(np.array([1.0, 0.0])) < candidates([1, 6]).quality(
        np.array([1.0, 0.0])
    )


def test_the_member_that_is_right_gets_the_weight():
    both = np.array([True, True])
    first = candidates([0, 5]).best_weights(both)  # what the first member puts on top
    second = candidates([2, 4]).best_weights(both)

    assert first.argmax() == 0
    assert second.argmax() == 1
    assert first.sum() == pytest.approx(1.0)
    assert candidates([0, 5]).quality(first) == 1.0
    assert candidates([2, 4]).quality(second) == 1.0


def test_a_member_that_takes_no_part_has_no_weight():
    weights = candidates([2, 4]).best_weights(np.array([True, False]))

    assert weights.tolist() == [1.0, 0.0]
