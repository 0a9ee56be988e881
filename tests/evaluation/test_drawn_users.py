"""Ranking for a sample of the held-out users, and how far its means may be off."""

import numpy as np
import pytest

from multitask_recommender.evaluation import Evaluator, Settings, evaluate
from multitask_recommender.metrics.intervals import mean_interval

USERS, ITEMS = 60, 7


@pytest.fixture
def ranked(events, table_scorer):
    """A scorer, what was seen and what is held out: a row or two of every user."""
    generator = np.random.default_rng(5)
    scores = generator.random((USERS + 1, ITEMS))
    seen = events([(user, 1) for user in range(1, USERS + 1)], (USERS, ITEMS), (USERS, ITEMS))
    pairs = [(user, item) for user in range(1, USERS + 1) for item in (2, 3 + user % 5)]
    held_out = events(pairs, (USERS, ITEMS), (USERS, ITEMS))
    return table_scorer(scores), seen, held_out


def settings(**more):
    return Settings(
        cutoffs=[1, 3], protocols=["full", "unfiltered", "sampled"], negatives=2, **more
    )


def test_means_are_of_the_drawn_users_and_intervals_of_their_values(ranked):
    scorer, seen, held_out = ranked
    everybody = Evaluator([seen], held_out, settings())(scorer, keep_arrays=True)

    drawn = Evaluator([seen], held_out, settings(users=25))(scorer, keep_arrays=True)

    values = drawn.arrays["test/full/recall@3"]
    assert len(values) == 25 and len(everybody.arrays["test/full/recall@3"]) == USERS
    assert drawn.metrics["test/full/recall@3"] == pytest.approx(values.mean())
    half = 2.0639 * values.std(ddof=1) / 5  # t of 24 degrees of freedom, sqrt(25)
    low, high = drawn.protocol["full"]["intervals_95"]["recall@3"]
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), rel=1e-4)
    assert drawn.protocol["full"]["users_drawn"] == f"25 of {USERS} users, seed 42"
    assert drawn.protocol["unfiltered"]["intervals_95"].keys() >= {"recall@3", "ndcg@1"}


def test_of_drawn_users_all_rows_are_evaluated_and_of_others_none(ranked):
    scorer, seen, held_out = ranked

    evaluator = Evaluator([seen], held_out, settings(users=25))

    drawn = np.unique(evaluator.rows.user_ids)
    assert len(drawn) == 25 and len(evaluator.rows) == 50
    of_drawn = held_out.take(np.isin(held_out.user_ids, drawn))
    alone = evaluate(scorer, [seen], of_drawn, settings())
    assert evaluator(scorer).metrics["test/full/recall@3"] == alone.metrics["test/full/recall@3"]


def test_where_rows_have_a_vote_there_is_no_interval_over_users(ranked):
    scorer, seen, held_out = ranked

    protocol = evaluate(scorer, [seen], held_out, settings(users=25)).protocol

    assert protocol["sampled"]["intervals_95"] == {}
    assert not [name for name in protocol["full"]["intervals_95"] if "accuracy" in name]


def test_the_seed_draws_the_users(ranked):
    scorer, seen, held_out = ranked

    one, again, other = (
        evaluate(scorer, [seen], held_out, settings(users=9, seed=seed)).metrics
        for seed in (1, 1, 2)
    )

    assert one == again != other


def test_all_are_ranked_where_there_are_no_more(ranked):
    scorer, seen, held_out = ranked

    drawn = evaluate(scorer, [seen], held_out, settings(users=USERS))

    assert drawn == evaluate(scorer, [seen], held_out, settings())
    assert "intervals_95" not in drawn.protocol["full"]


def test_an_interval_of_one_value_is_none():
    assert mean_interval(np.array([0.5])) is None


def test_the_interval_holds_the_mean_of_all_as_often_as_it_says():
    """Of 400 samples of 50 from a skewed distribution, about 95 in 100."""
    generator = np.random.default_rng(0)
    values = generator.random(20_000) ** 3
    held = 0
    for _ in range(400):
        interval = mean_interval(generator.choice(values, 50, replace=False))
        held += interval.low <= values.mean() <= interval.high
    assert 365 <= held <= 395
