"""Labels that nothing can be learnt from, and likes without a click."""

import numpy as np
import pytest
from pydantic import Field

from multitask_recommender import traps
from multitask_recommender.config import Choice
from multitask_recommender.settings import Settings

# Four training rows, one of validation, two of test.
ROWS = [(0, 1, 1), (0, 1, 2), (0, 2, 3), (0, 3, 1), (1, 2, 4), (2, 1, 5), (2, 3, 6)]


def found(splits, config):
    return [(trap.name, trap.severity) for trap in traps.find(splits, config)]


def test_a_click_that_is_always_one_is_refused(make, configure):
    splits = make(ROWS, {"click": [1, 1, 1, 1, 0, 0, 1]})

    (trap,) = traps.find(splits, configure({"click": {}}))

    assert (trap.name, trap.is_error) == ("constant_label", True)
    assert trap.sentence == (
        "tasks.click: all 4 training rows that hold 'click' have the value 1, so nothing can be "
        "learnt: take the task out (tasks.click=null)."
    )


def test_a_label_that_is_never_one_is_refused_and_unobserved_rows_do_not_count(make, configure):
    observed = np.array([1, 1, 1, 0, 1, 1, 1], bool)
    splits = make(ROWS, {"like": [0, 0, 0, 1, 1, 1, 1]}, observed={"like": observed})

    (trap,) = traps.find(splits, configure({"like": {}}))

    assert (trap.name, trap.is_error) == ("never_positive", True)
    assert trap.sentence.startswith("tasks.like: none of the 3 training rows that hold 'like' is 1")


def test_a_rating_that_is_always_the_same_is_refused(make, configure):
    splits = make(ROWS, {"rating": [3, 3, 3, 3, 1, 2, 3]})

    (trap,) = traps.find(splits, configure({"rating": {}}))

    assert "all 4 training rows that hold 'rating' have the value 3" in trap.sentence


@pytest.mark.parametrize(
    ("tasks", "values"),
    [
        ({"click": {}}, [1, 0, 1, 1, 1, 1, 1]),
        ({"click": {"weight": 0.0}, "retrieval": {}}, [1] * 7),  # not learnt
        ({"retrieval": {}}, [1] * 7),
        ({"retrieval": {"positive": "click"}}, [1] * 7),  # every row is a positive: fine
    ],
)
def test_what_varies_or_is_not_learnt_is_no_trap(make, configure, tasks, values):
    assert found(make(ROWS, {"click": values}), configure(tasks)) == []


def test_retrieval_without_a_positive_is_refused(make, configure):
    splits = make(ROWS, {"click": [0, 0, 0, 0, 1, 1, 1]})

    (trap,) = traps.find(splits, configure({"retrieval": {"positive": "click"}}))

    assert (trap.name, trap.is_error) == ("never_positive", True)
    assert "tasks.retrieval.positive: none of the 4 training rows" in trap.sentence
    assert "name another label there" in trap.sentence


class Chained(Settings):
    """Of a task whose label comes only with another, or is learnt where another is 1."""

    weight: float = Field(1.0)
    only_with: str | None = None
    observed_where: str | None = None


LABELS = {"click": [1, 0, 1, 0, 1, 1, 1], "like": [1, 1, 0, 1, 0, 0, 0]}


def chained(configure, **settings):
    config = configure({"click": {}, "like": {}})
    config.tasks["like"] = Choice("binary", Chained(**settings))
    return config


def test_likes_without_a_click_are_counted(make, configure):
    splits = make(ROWS, LABELS)

    (trap,) = traps.find(splits, configure({"click": {}, "like": {}}))

    assert (trap.name, trap.severity) == ("label_without_click", "note")
    assert trap.sentence.startswith("2 of 3 training rows with like = 1 have click = 0: 'like' do")


def test_likes_without_a_click_are_a_warning_where_the_task_says_there_are_none(make, configure):
    (trap,) = traps.find(make(ROWS, LABELS), chained(configure, only_with="click"))

    assert (trap.name, trap.severity) == ("label_without_click", "warning")
    assert "though tasks.like.only_with is click: they are learnt as like = 0" in trap.sentence


@pytest.mark.parametrize("like", [[1, 0, 1, 0, 0, 0, 0], [1, 0, 0, 0, 1, 1, 1]])
def test_likes_with_clicks_are_no_trap(make, configure, like):
    splits = make(ROWS, LABELS | {"like": like})

    assert found(splits, configure({"click": {}, "like": {}})) == []
    assert found(splits, chained(configure, only_with="click")) == []


def test_a_rating_does_not_come_with_a_click(make, configure):
    splits = make(ROWS, {"click": LABELS["click"], "rating": [1, 2, 3, 4, 5, 1, 1]})

    assert found(splits, configure({"click": {}, "rating": {}})) == []


def test_what_is_learnt_of_a_chained_label_must_vary_too(make, configure):
    where_clicked = make(ROWS, LABELS | {"like": [1, 0, 1, 0, 0, 0, 0]})
    never_with = make(ROWS, LABELS | {"like": [0, 1, 0, 1, 0, 0, 0]})

    assert found(where_clicked, chained(configure, observed_where="click")) == [
        ("constant_label", "error")
    ]
    assert found(never_with, chained(configure, only_with="click")) == [
        ("never_positive", "error"),
        ("label_without_click", "warning"),
    ]
