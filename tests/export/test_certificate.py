"""Differences between an export's answers and the model's, by hand."""

import dataclasses

import numpy as np
import pytest

from multitask_recommender.errors import RunError
from multitask_recommender.export.certificate import Ids, Parity, Trial
from multitask_recommender.export.golden import Request
from multitask_recommender.export.raw_ids import RawIds
from multitask_recommender.export.reference import Asked, Reference
from multitask_recommender.export.vectors import Vectors

ITEMS = RawIds(np.array([10, 20, 30, 40]))
USERS = RawIds(np.array(["ann", "bob"]))


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
    "source": np.array([b"user"]),
}


def parity(reference, answer, asked=ASKED, is_exact=True):
    trial = Trial([Request("recommend", {})], [reference.expect(asked)], ITEMS, is_exact)
    return trial.parity([answer])


def test_the_reference_retrieves_leaves_out_ranks_and_blends(reference):
    found = reference.expect(ASKED)

    assert found.items.tolist() == [1, 4, 2] and not found.is_tied
    np.testing.assert_allclose(found.scores, [8, 4, 2])
    np.testing.assert_allclose(found.predictions["like"], [0.4, 0.2, 0.1])
    np.testing.assert_allclose(found.best, [8, 4])


def test_what_is_not_retrieved_is_not_ranked(reference):
    """Two are retrieved, 10 and 30; by like turned round, 20 would be best."""
    turned = dataclasses.replace(reference, retrieve=2, gains={"like": lambda values: -values})
    asked = dataclasses.replace(ASKED, excluded=[], k=1, weights={"retrieval": 0.0, "like": 1.0})

    np.testing.assert_allclose(turned.expect(asked).best, [-0.3], rtol=1e-6)


def test_given_items_are_ranked_as_they_are(reference):
    found = reference.expect(dataclasses.replace(ASKED, items=[3, 2]))

    assert found.items.tolist() == [3, 2]
    np.testing.assert_allclose(found.scores, [6, 2])


def test_nothing_left_is_nothing_expected(reference):
    found = reference.expect(dataclasses.replace(ASKED, excluded=[1, 2, 3, 4]))

    assert found.items.tolist() == found.best.tolist() == []
    nothing = {name: values[:, :0] for name, values in ANSWER.items() if values.ndim == 2}
    answer = nothing | {"num_items": np.array([0])}
    asked = dataclasses.replace(ASKED, excluded=[1, 2, 3, 4])
    assert parity(reference, answer, asked) == Parity(1, 0.0, 0.0)


def test_equal_answers_do_not_differ(reference):
    assert parity(reference, ANSWER) == Parity(1, 0.0, 0.0)


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("scores", [8.0, 4.004], (0.001, 0.0)),  # relative to 4
        ("like", [0.4, 0.201], (0.0, 0.001)),
    ],
)
def test_differences_are_the_largest_relative_to_large_values(name, values, expected, reference):
    changed = ANSWER | {name: np.array([[*values, 0.0]], np.float32)}

    found = parity(reference, changed)

    assert (found.scores, found.predictions) == pytest.approx(expected, abs=1e-6)
    with pytest.raises(RunError, match=r"they differ by 0.001, the tolerance is 1e-05"):
        found.check()


@pytest.mark.parametrize("name", ["scores", "like"])
def test_nan_is_no_parity(name, reference):
    changed = ANSWER | {name: np.full([1, 3], np.nan, np.float32)}

    with pytest.raises(RunError, match="they differ by nan"):
        parity(reference, changed).check()


MISSED = ANSWER | {
    "item_ids": np.array([[40, 20, -1]]),
    "scores": np.array([[4.0, 2.0, 0.0]], np.float32),
    "like": np.array([[0.2, 0.1, 0.0]], np.float32),
}


def test_an_approximate_index_may_miss_items_but_not_their_scores(reference):
    parity(reference, MISSED, is_exact=False).check()
    with pytest.raises(RunError, match="they differ by 0.5"):
        parity(reference, MISSED).check()
    wrong = MISSED | {"scores": np.array([[4.0, 2.5, 0.0]], np.float32)}
    with pytest.raises(RunError, match="they differ by 0.25"):
        parity(reference, wrong, is_exact=False).check()


def test_ties_at_the_cut_of_retrieval_may_be_settled_either_way(reference):
    """Of 20 and 30, which score the same, one is retrieved; its like is another."""

    class Tied(Scorer):
        TABLE = np.array([[0, 0, 0, 0], [4, 1, 1, 0]], np.float32)

        def rank(self, queries):
            return {"like": queries["item_id"] / 10}

    tied = dataclasses.replace(reference, scorer=Tied(), retrieve=2)
    asked = dataclasses.replace(ASKED, excluded=[], weights={"retrieval": 0.0, "like": 1.0})
    assert tied.expect(asked).is_tied and tied.expect(asked).items.tolist() == [1, 2]
    other = ANSWER | {
        "item_ids": np.array([[30, 10]]),
        "scores": np.array([[0.3, 0.1]], np.float32),
        "like": np.array([[0.3, 0.1]], np.float32),
    }

    parity(tied, other, asked).check()


def test_an_item_that_was_to_be_left_out_is_a_fault(reference):
    with pytest.raises(RunError, match="answers items that were to be left out"):
        parity(reference, ANSWER | {"item_ids": np.array([[10, 30, -1]])})


@pytest.mark.parametrize("is_exact", [True, False])
def test_too_few_answers_are_a_fault(reference, is_exact):
    with pytest.raises(RunError, match="answers 1 items where the model has 2"):
        parity(reference, ANSWER | {"num_items": np.array([1])}, is_exact=is_exact)


def test_requests_are_read_in_dense_ids_with_what_was_seen():
    ids = Ids(USERS, ITEMS, (np.array([0, 0, 1, 3]), np.array([2, 1, 4])))
    inputs = {"user_id": ["bob"], "k": [3], "history": [[30, 99]], "exclude_ids": [[20]]}
    request = Request("recommend", inputs)

    asked = ids.asked(request, {"retrieval": 1.0}, excludes_seen=True)

    assert asked == Asked(2, [3], [1, 2, 3, 4], 3, {"retrieval": 1.0})
    assert ids.asked(request, {}, excludes_seen=False).excluded == [2]
    all_the_same = Request("retrieve", inputs | {"exclude_seen": [False]})
    assert ids.asked(all_the_same, {}, excludes_seen=True).excluded == [2]
    ranked = Request("rank", {"user_id": ["ann"], "item_ids": [[40, 10]]})
    assert ids.asked(ranked, {}, excludes_seen=False).items == [4, 1]


def test_every_kind_of_request_that_can_be_is_compared(reference):
    ids = Ids(USERS, ITEMS, (np.array([0, 0, 0, 0]), np.zeros(0, int)))
    weights = {"retrieval": 0.0, "like": 1.0}
    requests = [
        Request("retrieve", {"user_id": ["ann"], "k": [2]}),
        Request("similar_items", {"item_id": [10], "k": [2]}),
        Request("rank", {"user_id": ["ann"], "item_ids": [[20]]}),
    ]

    vectors = Vectors(np.array([[2, 0, 9], [0, 1, 9], [3, 0, 9], [0, 0, 9]], np.float32), biases=1)
    reference = dataclasses.replace(reference, vectors=vectors)

    retrieved, alike, ranked = Trial.of(requests, reference, ids, weights, False, True).expected

    np.testing.assert_allclose(retrieved.best, [4, 3])  # by retrieval alone
    assert alike.cosines.tolist() == [-2, 0, 1, 0]
    np.testing.assert_allclose(ranked.scores, [0.1])
