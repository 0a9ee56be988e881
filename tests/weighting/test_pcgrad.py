"""PCGrad on vectors, against the loops of its algorithm 1."""

import types

import numpy as np
import pytest

from multitask_recommender import config
from multitask_recommender.errors import ConfigError
from multitask_recommender.weighting.pcgrad import Weighting
from multitask_recommender.weighting.settings.pcgrad import Settings


def combined(gradients, seed=(1, 2)):
    """The combined gradient [n] of gradients [T, n]."""
    tasks = [
        types.SimpleNamespace(name=str(n), weight=1.0, is_regression=False)
        for n in range(len(gradients))
    ]
    gradients = np.array(gradients, np.float32)
    return Weighting(Settings(), tasks).shares(gradients @ gradients.T, seed).numpy() @ gradients


def by_the_paper(gradients, orders):
    """orders: for each task, in which order it meets the others."""
    total = np.zeros(len(gradients[0]))
    for task, order in enumerate(orders):
        own = np.array(gradients[task], float)
        for other in order:
            along = own @ np.array(gradients[other])
            if along < 0:
                own -= along / np.square(gradients[other]).sum() * np.array(gradients[other])
        total += own
    return total


def test_two_that_conflict_each_give_up_what_goes_against_the_other():
    # (1, 0) loses its part along (-1, 1): (0.5, 0.5). (-1, 1) that along (1, 0): (0, 1).
    np.testing.assert_allclose(combined([[1.0, 0.0], [-1.0, 1.0]]), [0.5, 1.5], rtol=1e-6)


def test_two_that_do_not_are_added():
    np.testing.assert_allclose(combined([[1.0, 0.5], [2.0, -1.0]]), [3.0, -0.5], rtol=1e-6)
    np.testing.assert_allclose(combined([[1.0, 0.0], [0.0, 2.0]]), [1.0, 2.0], rtol=1e-6)


def test_opposites_come_to_nothing_and_a_gradient_of_0_changes_nothing():
    np.testing.assert_allclose(combined([[1.0, 2.0], [-2.0, -4.0]]), [0.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(combined([[1.0, 2.0], [0.0, 0.0]]), [1.0, 2.0], rtol=1e-6)


def test_of_three_the_order_is_drawn_by_the_seed():
    gradients = [[1.0, 0.2, 0.0], [-1.0, 1.0, 0.5], [-0.3, -1.0, 1.0]]
    orders = [[(1, 2), (2, 1)], [(0, 2), (2, 0)], [(0, 1), (1, 0)]]
    possible = [
        by_the_paper(gradients, (a, b, c)) for a in orders[0] for b in orders[1] for c in orders[2]
    ]

    found = [combined(gradients, (seed, 7)) for seed in range(40)]

    which = [[np.allclose(one, other, rtol=1e-5) for other in possible] for one in found]
    assert all(any(line) for line in which)
    assert len({tuple(line) for line in which}) > 1
    np.testing.assert_array_equal(combined(gradients, (3, 7)), found[3])


def test_where_two_tasks_share_nothing_there_is_nothing_to_combine():
    model = {"name": "two_tower", "embeddings": "separate", "ranking": {"dimension": 4}}
    values = {"weighting": "pcgrad", "model": model}

    with pytest.raises(ConfigError, match="retrieval and like cannot conflict: in this model rank"):
        config.parse({**values, "tasks": {"retrieval": {}, "like": {}}})
    config.parse({**values, "tasks": {"retrieval": {}, "like": {}, "rating": {}}})


@pytest.mark.parametrize("tasks", [{"like": {}}, {"like": {}, "rating": {"weight": 0.0}}])
def test_one_task_has_nothing_to_conflict_with(tasks):
    with pytest.raises(ConfigError, match="weighting.name is pcgrad, which needs two tasks of a"):
        config.parse({"weighting": "pcgrad", "tasks": tasks})
