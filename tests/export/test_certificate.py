"""Differences between an export's answers and the model's, by hand."""

import dataclasses

import numpy as np
import pytest

from multitask_recommender.errors import RunError
from multitask_recommender.export.certificate import Ids, Parity, compare
from multitask_recommender.export.golden import Request
from multitask_recommender.export.raw_ids import RawIds
from multitask_recommender.export.reference import Asked, Reference

ITEMS = RawIds(np.array([10, 20, 30, 40]))


class Scorer:
    """User u scores item i by the table's row u; a like is a tenth of it."""

    TABLE = np.array([[0, 0, 0, 0], [4, 1, 3, 2]], np.float32)

    def score_block(self, queries):
        return self.TABLE[queries["user_id"]].copy()

    def rank(self, queries):
        return {"like": self.TABLE[queries["user_id"], queries["item_id"] - 1] / 10}


@pytest.fixture
def reference():
    return Reference(
        scorer=Scorer(),
        gains={"like": lambda values: values},
        retrieval="retrieval",
        popularity=np.zeros(4, np.float32),
        retrieve=3,
        missing={},
    )


ASKED = Asked(user=1, history=[], excluded=[3], k=2, weights={"retrieval": 1.0, "like": 10.0})
# Item 30 is left out; of the others, 10 and 40 are best: scores 4 + 4, 2 + 2.
ANSWER = {
    "item_ids": np.array([[10, 40, -1]]),
    "scores": np.array([[8.0, 4.0, 0.0]], np.float32),
    "like": np.array([[0.4, 0.2, 0.0]], np.float32),
    "num_items": np.array([2]),
}


def test_the_reference_retrieves_leaves_out_ranks_and_blends(reference):
    found = reference.recommend(ASKED)

    assert found["item_ids"].tolist() == [1, 4]
    np.testing.assert_allclose(found["scores"], [8, 4])
    np.testing.assert_allclose(found["like"], [0.4, 0.2])


def test_what_is_not_retrieved_is_not_ranked(reference):
    """Only two are retrieved, 10 and 30; by like alone, turned round, 20 would be best."""
    turned = dataclasses.replace(reference, retrieve=2, gains={"like": lambda values: -values})
    asked = dataclasses.replace(ASKED, excluded=[], weights={"retrieval": 0.0, "like": 1.0})

    assert turned.recommend(asked)["item_ids"].tolist() == [3, 1]


def test_equal_answers_do_not_differ(reference):
    assert compare(reference, ITEMS, [ASKED], [ANSWER], is_exact=True) == Parity(1, 0.0, 0.0)


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("scores", [8.0, 4.004], (0.001, 0.0)),  # relative to 4
        ("like", [0.4, 0.201], (0.0, 0.001)),
    ],
)
def test_differences_are_the_largest_relative_to_large_values(name, values, expected, reference):
    changed = ANSWER | {name: np.array([[*values, 0.0]], np.float32)}

    parity = compare(reference, ITEMS, [ASKED], [changed], is_exact=True)

    assert (parity.scores, parity.predictions) == pytest.approx(expected, abs=1e-6)
    with pytest.raises(RunError, match=r"they differ by 0.001, the tolerance is 1e-05"):
        parity.check()


def test_an_approximate_index_may_miss_items_but_not_their_scores(reference):
    missed = ANSWER | {
        "item_ids": np.array([[40, 20, -1]]),
        "scores": np.array([[4.0, 2.0, 0.0]], np.float32),
        "like": np.array([[0.2, 0.1, 0.0]], np.float32),
    }

    compare(reference, ITEMS, [ASKED], [missed], is_exact=False).check()
    with pytest.raises(RunError, match="they differ by 0.5"):
        compare(reference, ITEMS, [ASKED], [missed], is_exact=True).check()


def test_an_item_that_was_to_be_left_out_is_a_fault(reference):
    wrong = ANSWER | {"item_ids": np.array([[10, 30, -1]])}

    with pytest.raises(RunError, match="answers items that were to be left out"):
        compare(reference, ITEMS, [ASKED], [wrong], is_exact=True)


def test_too_few_answers_are_a_fault(reference):
    with pytest.raises(RunError, match="answers 1 items where the model has 2"):
        compare(reference, ITEMS, [ASKED], [ANSWER | {"num_items": np.array([1])}], is_exact=True)


def test_nan_is_no_parity():
    with pytest.raises(RunError, match="they differ by nan"):
        Parity(1, float("nan"), 0.0).check()


def test_requests_are_read_in_dense_ids_with_what_was_seen():
    users = RawIds(np.array(["ann", "bob"]))
    ids = Ids(users, ITEMS, (np.array([0, 0, 1, 3]), np.array([2, 1, 4])))
    request = Request(
        "recommend",
        {"user_id": ["bob"], "k": [3], "history": [[30, 99]], "exclude_ids": [[20]]},
    )

    asked = ids.asked(request, {"retrieval": 1.0}, excludes_seen=True)

    assert asked == Asked(2, [3], [1, 2, 3, 4], 3, {"retrieval": 1.0})
    assert ids.asked(request, {}, excludes_seen=False).excluded == [2]
