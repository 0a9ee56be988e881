"""Session neighbours, by hand and by their definition.

Sessions, in the order of their ends: a {1, 2, 3}, b {2, 4, 5, 6}, c {1, 4}, d {6}; item 7 is met by
nobody. The current session is 1, 3, 2: of a it has all items, of b the last, of c the first, of d
none.
"""

import numpy as np
import pytest

from multitask_recommender import splits
from multitask_recommender.baselines import session_knn
from multitask_recommender.baselines.session_knn import Settings, fit
from multitask_recommender.datasets import sessions
from multitask_recommender.evaluation import Evaluator
from multitask_recommender.evaluation import Settings as EvaluationSettings
from multitask_recommender.interactions import Entities, Interactions

PAPER = {"position": "none", "idf": 0.0, "similarity": "dot"}
ROWS = [("b", 6), ("a", 3), ("a", 1), ("d", 6), ("b", 4), ("b", 2), ("c", 1), ("a", 2)]
ROWS += [("c", 4), ("b", 5), ("a", 2)]
#        b6  a3 a1  d6 b4 b2 c1 a2 c4  b5  a2
TIMES = [11, 2, 1, 90, 8, 9, 70, 4, 7, 10, 3]
COUNTS = [2, 2, 1, 2, 1, 2, 0]
LOG3 = np.log2(3)


@pytest.fixture
def train() -> Interactions:
    return Interactions(
        user_ids=np.array(["abcd".index(user) + 1 for user, _ in ROWS], np.int32),
        item_ids=np.array([item for _, item in ROWS], np.int32),
        users=Entities(np.array(list("abcd")), 4),
        items=Entities(np.arange(7), 7),
        timestamps=np.array(TIMES),
    )


def ask(train, history, user=0, **settings) -> list[float]:
    queries = {"user_id": np.array([user], np.int32), "history": np.array([history], np.int32)}
    (scores,) = fit(Settings(**{**PAPER, **settings}), train, 1).score_block(queries)
    return scores.tolist()


def sums(a: float, b: float, c: float) -> list[float]:
    """The scores of items 1 to 7 by the weights of the neighbours."""
    return [a + c, a + b, a, b + c, b, b, 0]


@pytest.mark.parametrize(
    ("decay", "first", "second"),
    [
        ("none", 1, 1),
        ("linear", 1 / 3, 2 / 3),
        ("quadratic", 1 / 9, 4 / 9),
        ("reciprocal", 1 / 3, 1 / 2),
        ("logarithmic", 1 / 2, 1 / LOG3),
    ],
)
def test_scores_are_sums_of_similarities_in_which_later_items_count_more(
    train, decay, first, second
):
    expected = sums(a=first + second + 1, b=1, c=first)

    assert ask(train, [1, 3, 2], decay=decay) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("position", "first"),
    [
        ("none", 1),
        ("linear", 1 / 3),
        ("quadratic", 1 / 9),
        ("reciprocal", 1 / 3),
        ("logarithmic", 1 / 2),
    ],
)
def test_a_neighbour_counts_by_the_latest_item_that_it_shares(train, position, first):
    """The last one, of a and b; the first one, of c."""
    expected = sums(a=2, b=1, c=1 / 3 * first)

    assert ask(train, [1, 3, 2], position=position) == pytest.approx(expected)


def test_a_cosine_is_divided_by_the_root_of_the_neighbours_length(train):
    expected = sums(a=2 / np.sqrt(3), b=1 / np.sqrt(4), c=1 / 3 / np.sqrt(2))

    assert ask(train, [1, 3, 2], similarity="cosine") == pytest.approx(expected)


def test_rare_items_count_for_more(train):
    """Of four sessions two have the items 1, 2, 4 and 6, one the items 3 and 5."""
    boosts = 1 + 3 * np.log([2, 2, 4, 2, 4, 2, 1])

    assert ask(train, [1, 3, 2], idf=3.0) == pytest.approx(sums(a=2, b=1, c=1 / 3) * boosts)


def test_only_the_nearest_tell_of_equals_the_latest(train):
    assert ask(train, [1, 3, 2], neighbours=2) == pytest.approx(sums(a=2, b=1, c=0))
    assert ask(train, [2], neighbours=1) == sums(a=0, b=1, c=0)


def test_only_the_latest_sessions_that_share_an_item_are_looked_at(train):
    """By time c ended after b, and a was first; d shares nothing."""
    assert ask(train, [1, 3, 2], sample_size=2) == pytest.approx(sums(a=0, b=1, c=1 / 3))
    assert ask(train, [1, 3, 2], sample_size=1) == pytest.approx(sums(a=0, b=0, c=1 / 3))


def test_an_item_that_comes_again_is_where_it_came_last(train):
    """2 counts 1 and 1 counts 2/3, at the second of three places."""
    assert ask(train, [2, 1, 2]) == pytest.approx(sums(a=5 / 3, b=1, c=2 / 3))


def test_padding_does_not_count(train):
    assert ask(train, [1, 3, 2, 0, 0]) == ask(train, [1, 3, 2])


def test_without_a_history_the_users_own_session_counts_and_is_no_neighbour(train):
    """c met 4 and then 1: a has the last, b the first."""
    expected = sums(a=1, b=1 / 2, c=0)

    assert ask(train, [0, 0], user=3) == pytest.approx(expected)
    scorer = fit(Settings(**PAPER), train, 1)
    (scores,) = scorer.score_block({"user_id": np.array([3], np.int32)})
    assert scores.tolist() == pytest.approx(expected)


def test_a_given_history_counts_instead_of_the_users_own(train):
    assert ask(train, [5], user=3) == sums(a=0, b=1, c=0)
    assert ask(train, [4], user=3) == sums(a=0, b=1, c=0)  # not of his own session


@pytest.mark.parametrize(("history", "user"), [([0], 0), ([7], 0), ([3], 1)])
def test_where_nobody_is_a_neighbour_items_are_ranked_by_sessions(train, history, user):
    """No history; an item nobody met, or nobody else."""
    assert ask(train, history, user=user, idf=3.0) == COUNTS


def test_queries_of_one_block_have_each_their_own(train):
    queries = {
        "user_id": np.array([0, 3, 0], np.int32),
        "history": np.array([[1, 3, 2], [0, 0, 0], [0, 0, 0]], np.int32),
    }

    scores = fit(Settings(**PAPER), train, 1).score_block(queries)

    expected = [sums(a=2, b=1, c=1 / 3), sums(a=1, b=1 / 2, c=0), COUNTS]
    np.testing.assert_allclose(scores, expected, rtol=1e-6)


def test_nothing_learnt_is_nothing_known(train):
    scorer = fit(Settings(), train, 1, positives=np.zeros(len(train), bool))

    scores = scorer.score_block({"user_id": np.array([1, 0], np.int32)})

    assert scores.tolist() == [[0] * 7] * 2


def by_definition(rows, histories, settings) -> np.ndarray:
    """Sessions in the order of the log, one at a time; linear decay and reciprocal positions."""
    sessions_of = {}
    for user, item in zip(rows.user_ids.tolist(), rows.item_ids.tolist(), strict=True):
        sessions_of.setdefault(user, []).append(item)
    last = {user: np.flatnonzero(rows.user_ids == user)[-1] for user in sessions_of}
    scores = np.zeros((len(histories), rows.num_items))
    for query, history in enumerate(histories):
        history = [item for item in history.tolist() if item]
        place = {item: len(history) - at for at, item in enumerate(history)}
        sharing = [user for user, items in sessions_of.items() if set(items) & set(history)]
        sharing = sorted(sharing, key=lambda user: -last[user])[: settings.sample_size]
        similar = {}
        for user in sharing:
            shared = set(sessions_of[user]) & set(history)
            total = sum((len(history) - place[item] + 1) / len(history) for item in shared)
            similar[user] = total / np.sqrt(len(set(sessions_of[user]))), shared
        for user in sorted(sharing, key=lambda user: -similar[user][0])[: settings.neighbours]:
            weight = similar[user][0] / min(place[item] for item in similar[user][1])
            for item in set(sessions_of[user]):
                scores[query, item - 1] += weight
    return scores


@pytest.mark.parametrize("most_entries", [2**20, 40])
def test_scores_are_those_of_the_definition_in_parts_of_any_size(monkeypatch, most_entries):
    monkeypatch.setattr(session_knn, "_MOST_ENTRIES", most_entries)
    generator = np.random.default_rng(5)
    users, items = generator.integers(1, 41, 300), generator.integers(1, 24, 300)
    rows = Interactions(
        users.astype(np.int32),
        items.astype(np.int32),
        Entities(np.arange(40), 40),
        Entities(np.arange(23), 23),
    )
    histories = np.zeros((30, 6), np.int32)
    for history in histories:
        length = generator.integers(1, 7)
        history[:length] = generator.integers(1, 24, length)
    settings = Settings(neighbours=7, sample_size=15, position="reciprocal", idf=0)

    queries = {"user_id": np.zeros(30, np.int32), "history": histories}
    scores = fit(settings, rows, 1).score_block(queries)

    np.testing.assert_allclose(scores, by_definition(rows, histories, settings), rtol=1e-5)


def test_diginetica_is_ranked_as_measured(mtr_data):
    """A tenth of the test queries; all of them: .5214 and .1832."""
    rows = sessions.read(sessions.Settings(path=str(mtr_data / "diginetica")))
    parts = splits.split(rows, splits.Settings(name="given", validation=0))
    test = parts.test.take(np.arange(0, len(parts.test), 10))
    settings = EvaluationSettings(protocols=["unfiltered"], cutoffs=[20])

    evaluator = Evaluator([parts.train], test, settings, fold_in=parts.fold_in)
    metrics = evaluator(fit(Settings(), parts.train, 1)).metrics

    assert metrics["test/unfiltered/hit_rate@20"] == pytest.approx(0.52, abs=0.02)
    assert metrics["test/unfiltered/mrr@20"] == pytest.approx(0.18, abs=0.02)
