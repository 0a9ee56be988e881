"""Biased factorisation of ratings, against dense solves of the equations it claims to solve."""

import dataclasses

import numpy as np
import pytest

from multitask_recommender.baselines.biased_mf import Settings, fit
from multitask_recommender.errors import RunError
from multitask_recommender.interactions import Entities, Interactions

PAIRS = {  # every known pair of the fixture, and the unknown
    "user_id": np.repeat(np.arange(4, dtype=np.int32), 6),
    "item_id": np.tile(np.arange(6, dtype=np.int32), 4),
}
MEAN = 3.0  # of the six ratings


def one_hot(ratings):
    """Inputs [6, 8] of each rating: three users, then five items."""
    inputs = np.zeros((6, 8))
    inputs[np.arange(6), ratings.user_ids - 1] = 1
    inputs[np.arange(6), ratings.item_ids + 2] = 1
    return inputs


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_biases_are_the_ridge_regression_on_users_and_items(ratings, power):
    """Where factors are charged so much that they vanish."""
    inputs = one_hot(ratings)
    counts = inputs.sum(axis=0)
    used = counts > 0
    charge = np.diag(0.7 * counts[used] ** power)
    normal = inputs[:, used].T @ inputs[:, used] + charge
    biases = np.zeros(8)
    biases[used] = np.linalg.solve(normal, inputs[:, used].T @ (ratings.labels["rating"] - MEAN))
    settings = Settings(dimension=2, epochs=100, l2=1e9, bias_l2=0.7, l2_power=power)

    predicted = fit(settings, ratings, seed=1).rank(PAIRS)["rating"].reshape(4, 6)

    expected = MEAN + np.append(0, biases[:3])[:, None] + np.append(0, biases[3:])
    np.testing.assert_allclose(predicted, np.clip(expected, 1, 5), atol=1e-4)


def half_step(values, others, settings):
    """Bias and factors of each row of values [R, C], NaN where there is none."""
    found = np.zeros((len(values), others.shape[1]))
    for row, line in enumerate(values):
        rated = ~np.isnan(line)
        if not rated.any():
            continue
        inputs = np.hstack([np.ones((rated.sum(), 1)), others[rated, 1:]])
        charges = np.full(inputs.shape[1], settings.l2)
        charges[0] = settings.bias_l2
        normal = inputs.T @ inputs + np.diag(charges) * rated.sum() ** settings.l2_power
        found[row] = np.linalg.solve(normal, inputs.T @ (line[rated] - MEAN - others[rated, 0]))
    return found


def test_factors_are_those_of_a_dense_solve(ratings):
    settings = Settings(dimension=2, epochs=3, l2=0.1, bias_l2=0.2, initial_stddev=0.8)
    values = np.full((3, 5), np.nan)
    values[ratings.user_ids - 1, ratings.item_ids - 1] = ratings.labels["rating"]
    items = 0.8 * np.random.default_rng(4).standard_normal((6, 3), np.float32)[1:]
    items[:, 0] = 0
    for _ in range(3):
        users = half_step(values, items, settings)
        items = half_step(values.T, users, settings)

    predicted = fit(settings, ratings, seed=4).rank(PAIRS)["rating"].reshape(4, 6)[1:, 1:]

    expected = MEAN + users[:, :1] + items[:, 0] + users[:, 1:] @ items[:, 1:].T
    np.testing.assert_allclose(predicted, np.clip(expected, 1, 5), atol=1e-4)


def test_what_is_unknown_or_was_never_rated_has_the_bias_of_the_other_alone(ratings):
    settings = Settings(dimension=2, bias_l2=0.1)

    predicted = fit(settings, ratings, seed=1).rank(PAIRS)["rating"].reshape(4, 6)

    assert predicted[0, 0] == predicted[0, 5] == MEAN  # item 5 is in the catalogue only
    assert predicted[1, 0] == predicted[1, 5] > MEAN > predicted[0, 3]


def test_labels_of_0_and_1_are_left_out_and_so_are_unobserved_values(ratings):
    watched = np.array([0, 7, 2, np.nan, 1, 3], np.float32)
    labels = {**ratings.labels, "watched": watched}
    observed = {**ratings.observed, "watched": ~np.isnan(watched)}
    train = dataclasses.replace(ratings, labels=labels, observed=observed)

    predictions = fit(Settings(dimension=2), train, seed=1).rank(PAIRS)

    assert set(predictions) == {"rating", "watched"}
    assert predictions["watched"].min() >= 0 and predictions["watched"].max() <= 7
    alone = fit(Settings(dimension=2), train.take(~np.isnan(watched)), seed=1).rank(PAIRS)
    np.testing.assert_allclose(predictions["watched"], alone["watched"], rtol=1e-5)


def test_data_without_ratings_are_refused_with_a_sentence(ratings):
    likes = dataclasses.replace(ratings, labels={"like": ratings.labels["like"]}, observed={})

    assert Settings().missing_from(ratings, "evaluation.baselines.biased_mf") == []
    assert Settings().missing_from(likes, "evaluation.baselines.biased_mf") == [
        "evaluation.baselines.biased_mf predicts ratings, but no label of unnamed has other values "
        "than 0 and 1: take it away."
    ]


def test_movielens_is_predicted_better_than_by_plain_svd(mtr_data):
    """u1 of MovieLens 100k: an independent prototype of the same equations found .921."""
    train, test = (
        np.loadtxt(mtr_data / "ml-100k" / f"u1.{part}", dtype=np.int32) for part in ("base", "test")
    )
    rows = Interactions(
        train[:, 0],
        train[:, 1],
        Entities(np.arange(943), 943),
        Entities(np.arange(1682), 1682),
        labels={"rating": train[:, 2].astype(np.float32)},
    )

    queries = {"user_id": test[:, 0], "item_id": test[:, 1]}
    predicted = fit(Settings(), rows, seed=1).rank(queries)["rating"]

    assert np.sqrt(np.mean((predicted - test[:, 2]) ** 2)) < 0.93


@pytest.mark.parametrize("dimension", [2, 9])  # fewer than the eight ratings, and more
def test_too_little_l2_for_single_precision_is_an_error_not_a_wrong_solution(dimension):
    """Eight ratings of one pair: one equation, eight times, for more than one unknown."""
    ones = np.ones(8, np.int32)
    one = Entities(np.arange(1), 1)
    train = Interactions(ones, ones, one, one, labels={"rating": np.arange(8, dtype=np.float32)})
    settings = Settings(dimension=dimension, l2=1e-12, bias_l2=1e-11)

    with pytest.raises(
        RunError,
        match=r"matrix of \d unknowns is not positive definite in single precision: raise l2 "
        r"\(now 1e-12\) or bias_l2 \(now 1e-11\) of biased_mf\.$",
    ):
        fit(settings, train, seed=1)
