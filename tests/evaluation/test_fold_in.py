"""Histories of held-out users: what a scorer is told, what counts as seen, what is recommended."""

import numpy as np
import pytest

from multitask_recommender.evaluation import Evaluator, Settings, recommendations
from multitask_recommender.evaluation.fold_in import Histories

KNOWN, ROWS = (2, 5), (4, 7)  # users 3 and 4 and items 6 and 7 are outside the vocabulary
SETTINGS = Settings(protocols=["full", "unfiltered", "sampled"], cutoffs=[1, 2], negatives=2)


class Successor:
    """Says that the item after the last of the history comes next, or item 1 without a history."""

    def __init__(self) -> None:
        self.told = []

    def score_block(self, queries):
        history = queries["history"]
        lengths = (history > 0).sum(axis=1)
        last = np.where(lengths > 0, history[np.arange(len(history)), lengths - 1], 0)
        self.told += list(zip(queries["user_id"].tolist(), history.tolist(), strict=True))
        return np.eye(5, dtype=np.float32)[last % 5]

    def rank(self, queries):
        self.told += list(
            zip(queries["user_id"].tolist(), queries["history"].tolist(), strict=True)
        )
        return {"like": np.full(len(queries["user_id"]), 0.5, np.float32)}


@pytest.fixture
def fold_in(events):
    """User 3 met 6 (unknown), 2, 4 and 2 in this order; user 1 met 3; of user 4 nothing is told."""
    pairs = [(3, 2), (1, 3), (3, 6), (3, 4), (3, 2)]
    return events(pairs, KNOWN, ROWS, timestamps=np.array([7, 1, 2, 8, 9]), ordered_by_user=True)


@pytest.fixture
def test(events):
    labels = {"like": np.array([1, 0, 1, 0], np.float32)}
    return events([(4, 1), (3, 3), (1, 4), (3, 2)], KNOWN, ROWS, labels=labels)


def test_histories_are_oldest_first_and_hold_known_items(fold_in):
    told = Histories(fold_in).of(np.array([3, 1, 2, 4]))

    assert told["history"].tolist() == [[2, 4, 2], [3, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert told["history"].dtype == np.int32


def test_no_rows_tell_nothing(fold_in):
    for rows in (None, fold_in.take(np.zeros(5, bool))):
        assert Histories(rows).of(np.array([3])) == {}


def test_rows_of_unknown_items_alone_tell_of_nobody(fold_in):
    rows = fold_in.take(np.array([2]))

    assert Histories(rows).of(np.array([3, 1]))["history"].tolist() == [[0], [0]]


def test_every_protocol_asks_with_the_history_of_each_user(fold_in, test):
    scorer = Successor()

    result = Evaluator([], test, SETTINGS, fold_in=fold_in)(scorer)

    by_user = [(1, [3, 0, 0]), (0, [2, 4, 2]), (0, [0, 0, 0])]
    by_row = [(0, [0, 0, 0]), (0, [2, 4, 2]), (1, [3, 0, 0]), (0, [2, 4, 2])]
    assert sorted(scorer.told) == sorted(by_user + by_row)
    metrics = result.metrics
    # Item 4 after 3, item 3 after 2, item 1 after nothing: each first. User 3 met item 2 before.
    assert metrics["test/unfiltered/hit_rate@1"] == 1.0
    assert metrics["test/unfiltered/recall@1"] == (1 + 1 / 2 + 1) / 3
    assert metrics["test/full/recall@2"] == (1 + 1 / 2 + 1) / 3
    assert result.protocol["full"]["relevant_pairs_seen_before"] == 1
    assert result.protocol["fold_in"].startswith("what users met and was not learnt from")
    assert metrics["test/like/accuracy"] == 0.5


def test_what_is_told_is_seen(events, fold_in):
    """Items 2 and 4 are no candidates for user 3: of 1, 3, 5, tied, 3 is the last."""
    test = events([(3, 3)], KNOWN, ROWS)

    class Constant(Successor):
        def score_block(self, queries):
            return np.ones([len(queries["user_id"]), 5], np.float32)

    metrics = Evaluator([], test, SETTINGS, fold_in=fold_in)(Constant()).metrics

    assert metrics["test/full/mrr"] == pytest.approx(1 / 3)
    assert "test/unfiltered/mrr@2" in metrics


def test_without_fold_in_rows_nothing_is_told(fold_in, test, table_scorer):
    class Asserts(table_scorer):
        def score_block(self, queries):
            assert list(queries) == ["user_id"]
            return super().score_block(queries)

    scorer = Asserts(np.zeros([3, 5]))
    nothing = fold_in.take(np.zeros(5, bool))

    protocols = [
        Evaluator([], test, SETTINGS, fold_in=rows)(scorer).protocol for rows in (None, nothing)
    ]

    assert protocols[0] == protocols[1] and "fold_in" not in protocols[0]


def test_unknown_users_are_recommended_to_from_their_history(events, fold_in):
    train = events([(1, 1), (2, 5)], KNOWN, ROWS)

    frame = recommendations(Successor(), np.array([4, 3, 1]), [train], k=1, fold_in=fold_in)

    assert frame.rows() == [("u1", 1, 104, 1.0), ("u3", 1, 103, 1.0), ("u4", 1, 101, 1.0)]


def test_what_is_told_is_not_recommended(events, fold_in):
    train = events([(1, 1)], KNOWN, ROWS)

    frame = recommendations(Successor(), np.array([3]), [train], fold_in=fold_in)

    assert frame["item"].to_list() == [103, 101, 105]


def test_reciprocal_ranks_are_cut_and_ties_count_against_the_scorer(events, table_scorer):
    """Targets are third, first, and tied with one other at the top."""
    test = events([(1, 2), (2, 5), (3, 4)], (3, 5), (3, 5))
    scorer = table_scorer([[0] * 5, [9, 7, 8, 1, 1], [1, 2, 3, 4, 5], [0, 6, 0, 6, 0]])
    settings = Settings(protocols=["unfiltered"], cutoffs=[1, 2, 3])

    metrics = Evaluator([], test, settings)(scorer).metrics

    values = [metrics[f"test/unfiltered/mrr@{k}"] for k in (1, 2, 3)]
    np.testing.assert_allclose(values, [1 / 3, (1 + 1 / 2) / 3, (1 / 3 + 1 + 1 / 2) / 3])
