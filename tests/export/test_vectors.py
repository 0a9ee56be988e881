"""Vectors of queries and items that are alike, by hand."""

import numpy as np
import pytest

from multitask_recommender.errors import RunError
from multitask_recommender.export import vectors
from multitask_recommender.export.raw_ids import RawIds
from multitask_recommender.export.vectors import ExpectedAlike, ExpectedQuery, Vectors

ITEMS = RawIds(np.array([10, 20, 30]))
# The last coordinate is a bias.
VECTORS = Vectors(np.array([[3.0, 4.0, 7.0], [0.0, 2.0, 5.0], [4.0, 3.0, 1.0]], np.float32), 1)


def test_cosines_are_those_of_directions():
    np.testing.assert_allclose(VECTORS.cosines(1), [-2, 0.8, 0.96], rtol=1e-6)


def test_the_vector_of_a_query_gives_the_scores_of_the_model():
    answer = {"embedding": np.array([[1.0, 0.0, 1.0]]), "source": np.array([b"user"])}
    scores = np.array([10.0, 5.0, 5.5])

    expected = ExpectedQuery.of(scores, VECTORS)

    assert [*expected.differences(answer)] == [("scores", pytest.approx(0.5 / 5.5))]  # 10, 5, 5
    stranger = answer | {"source": np.array([b"popularity"])}
    assert not list(expected.differences(stranger))


def test_of_many_items_some_are_kept_to_tell_of_a_query(monkeypatch):
    monkeypatch.setattr(vectors, "_COMPARED", 2)
    scores = np.array([10.0, 5.0, 5.0])

    expected = ExpectedQuery.of(scores, VECTORS)

    assert expected.scores.tolist() == [10, 5]
    assert expected.items.tolist() == [[3, 4, 7], [4, 3, 1]]
    assert not np.shares_memory(expected.items, VECTORS.items)


def test_no_length_is_zero():
    assert vectors.lengths(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist() == [5, 1e-12]


def alike(ids, scores, is_exact=True):
    expected = ExpectedAlike(1, VECTORS.cosines(1), 2, ITEMS, is_exact)
    number = np.array([sum(item != -1 for item in ids)])
    answer = {"item_ids": np.array([ids]), "scores": np.array([scores]), "num_items": number}
    return max(value for _, value in expected.differences(answer))


def test_items_that_are_alike_come_in_order_and_by_their_cosines():
    assert alike([30, 20], [0.96, 0.8]) < 1e-6
    assert alike([30, 20], [0.96, 0.7]) == pytest.approx(0.1)
    assert alike([20, 30], [0.8, 0.96]) == pytest.approx(0.16)
    assert alike([20, 30], [0.8, 0.96], is_exact=False) < 1e-6


@pytest.mark.parametrize("ids", [[30, -1], [10, 30]])
def test_too_few_and_the_item_itself_are_faults(ids):
    with pytest.raises(RunError, match="similar items where the model has 2, or the item itself"):
        alike(ids, [0.96, 0.0])
