"""iALS, against closed forms, a dense solve of the normal equations, and the library `implicit`."""

import implicit.als
import numpy as np
import pytest
import scipy.sparse
import threadpoolctl

from multitask_recommender.baselines import _least_squares
from multitask_recommender.baselines.ials import Settings, fit
from multitask_recommender.errors import RunError
from multitask_recommender.interactions import Entities, Interactions

EVERYBODY = {"user_id": np.arange(4, dtype=np.int32)}  # the three users, after the unknown
SMALL = Settings(
    dimension=3, epochs=4, l2=0.05, l2_power=0.7, unobserved_weight=0.4, initial_stddev=0.5
)
MET = np.array([[1, 1, 1, 0, 0], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0]], float)


def half_step(others, met, settings):
    """Each row's factors, from every pair of the matrix with its own weight."""
    found = np.zeros((len(met), others.shape[1]))
    for row, line in enumerate(met):
        total = line.sum() + settings.unobserved_weight * len(line)
        normal = settings.l2 * total**settings.l2_power * np.eye(others.shape[1])
        for is_met, other in zip(line, others, strict=True):
            normal += (is_met + settings.unobserved_weight) * np.outer(other, other)
        found[row] = np.linalg.inv(normal) @ (line @ others)
    return found


def start(seed, num_users, settings):
    """What users begin with; row 0 is the unknown one's."""
    factors = np.random.default_rng(seed).standard_normal(
        (num_users + 1, settings.dimension), np.float32
    )
    return factors[1:] * settings.initial_stddev / np.sqrt(settings.dimension)


def test_scores_are_those_of_a_dense_solve(ratings):
    users = start(7, 3, SMALL)
    for _ in range(SMALL.epochs):
        items = half_step(users, MET.T, SMALL)
        users = half_step(items, MET, SMALL)

    scores = fit(SMALL, ratings, seed=7).score_block(EVERYBODY)

    np.testing.assert_allclose(scores[1:], users @ items.T, atol=1e-5)


def test_one_user_and_one_item_meet_at_the_fixed_point():
    """d/du of (1 - ui)^2 + a(ui)^2 + c(u^2 + i^2) is 0 where u = i and (1 + a) ui = 1 - c."""
    one = np.array([1], np.int32)
    alone = Interactions(one, one, Entities(one, 1), Entities(one, 1))
    settings = Settings(dimension=1, epochs=200, l2=0.2, unobserved_weight=0.5)

    scores = fit(settings, alone, seed=3).score_block({"user_id": one})

    charge = 0.2 * (1 + 0.5 * 1)
    assert scores[0, 0] == pytest.approx((1 - charge) / (1 + 0.5), rel=1e-4)


def test_users_and_items_without_positives_score_nothing(ratings):
    """Of the three positives none is user 3's, and none of item 3, 4 or 5."""
    positives = np.array([1, 1, 0, 1, 0, 0], bool)

    scores = fit(SMALL, ratings, 1, positives).score_block(EVERYBODY)

    assert not scores[[0, 3]].any() and not scores[:, 2:].any()
    assert (scores[1:3, :2] > 0).all()


def test_repeated_pairs_count_once(ratings):
    twice = ratings.take(np.tile(np.arange(6), 2))

    once, again = (fit(SMALL, train, 1).score_block(EVERYBODY) for train in (ratings, twice))

    np.testing.assert_array_equal(once, again)


@pytest.fixture
def sparse():
    """40 users, 90 items and 600 events, a few of them of one item."""
    draw = np.random.default_rng(5)
    users, items = draw.integers(1, 41, 600), 1 + (90 * draw.random(600) ** 3).astype(int)
    return Interactions(
        users.astype(np.int32),
        items.astype(np.int32),
        Entities(np.arange(40), 40),
        Entities(np.arange(90), 90),
    )


def test_the_size_of_blocks_changes_nothing(sparse, monkeypatch):
    users = {"user_id": np.arange(41, dtype=np.int32)}
    whole = fit(SMALL, sparse, seed=1).score_block(users)
    monkeypatch.setattr(_least_squares, "_BLOCK_FLOATS", 200)

    np.testing.assert_allclose(fit(SMALL, sparse, seed=1).score_block(users), whole, atol=1e-5)


def test_too_little_l2_for_single_precision_is_an_error_not_a_wrong_solution(sparse):
    settings = Settings(dimension=8, l2=1e-12, l2_power=0, unobserved_weight=1e-12)

    with pytest.raises(
        RunError, match=r"not positive definite in single precision: raise l2 of ials \(now 1e-12\)"
    ):
        fit(settings, sparse, seed=1)


def test_implicit_finds_the_same_without_power(sparse):
    """Its confidence c of a pair that met is 1 + 1/w, and its target is c / (c - 1) of ours.

    So its factors are sqrt(1 + w) times ours, and its penalty is (1 + w) / w times ours. It solves
    for its users first, as we do for items: it is given the matrix on its side.
    """
    settings = SMALL.model_copy(update={"l2_power": 0.0, "l2": 0.3})
    weight = settings.unobserved_weight
    pairs = np.unique(np.stack([sparse.item_ids - 1, sparse.user_ids - 1]), axis=1)
    item_users = scipy.sparse.csr_matrix((np.ones(pairs.shape[1], "f4"), pairs), (90, 40))
    with threadpoolctl.threadpool_limits(1, "blas"):  # it warns otherwise
        model = implicit.als.AlternatingLeastSquares(
            factors=3,
            regularization=settings.l2 * (1 + weight) / weight,
            alpha=1 + 1 / weight,
            iterations=settings.epochs,
            use_cg=False,
            use_gpu=False,
            dtype=np.float64,
        )
        model.item_factors = start(2, 40, settings).astype(np.float64) * np.sqrt(1 + weight)
        model.user_factors = np.zeros((90, 3))
        model.fit(item_users, show_progress=False)

    scores = fit(settings, sparse, seed=2).score_block({"user_id": np.arange(1, 41)})

    expected = model.item_factors @ model.user_factors.T / (1 + weight)
    np.testing.assert_allclose(scores, expected, atol=1e-5)
