"""Shapes of data: those of the tiny events, and those that are given."""

import dataclasses

import numpy as np
import pytest

from multitask_recommender import config
from multitask_recommender.errors import ConfigError
from multitask_recommender.planning import miniature, shape
from multitask_recommender.planning.shape import Column, Side
from multitask_recommender.splits import Splits


@pytest.fixture
def tiny_shape(tiny, parsed):
    none = tiny.take(np.zeros(0, int))
    data = Splits(tiny.take(np.arange(7)), none, tiny.take(np.arange(7, 10)), none)
    return shape.of(data, parsed("two_tower"), data.train, read_bytes=5)


def test_data_tell_their_counts_and_columns(tiny_shape):
    assert tiny_shape.users == Side(4, 3.0, True, {"job": Column(2), "age": Column()})
    assert tiny_shape.items == Side(6, 2.0, False, {"genres": Column(3, width=2)})
    assert (tiny_shape.rows, tiny_shape.held_out, tiny_shape.test_users) == (7, 3, 3)
    assert tiny_shape.labels == {"like": 4, "rating": 4}
    assert tiny_shape.row_bytes == 8 + 4 + 4 + 1 + 8  # ids, like, rating, likes observed, times


def test_numbers_stand_for_data_that_nobody_has_read(parsed):
    given = shape.given(parsed("gru4rec"), (1_000, 2_000, 10_000), [])

    # 80 and 20 %, of what is not test 10 % for validation, which the refit learns from too.
    assert (given.rows, given.held_out) == (8_000, 2_000)
    assert given.labels == {"click": 4, "like": 4}
    assert given.row_bytes == 8 + 2 * 4 + 8
    assert given.users.id_bytes == 4


def test_of_tenrec_it_is_known_what_its_rows_hold():
    dataset = {"name": "tenrec", "scenario": "qk_video"}
    chosen = config.parse({"dataset": dataset, "tasks": {"click": {}}, "model": {"name": "fm"}})

    given = shape.given(chosen, (1_000, 2_000, 10_000), [])
    reading = config.parse(chosen.to_dict(), ["model.context=[watching_times]"])
    with_times = shape.given(reading, (1_000, 2_000, 10_000), [])

    assert given.labels == {"click": 1, "follow": 1, "like": 1, "share": 1}
    assert given.row_bytes == 8 + 4 * 1 + 4
    assert with_times.context == {"watching_times": Column()}
    assert with_times.row_bytes == given.row_bytes + 4


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([], r"model.user reads age, city, of which .* such as --feature age=300, or 0 for"),
        (["age=0"], "model.user reads city, of which no data were read"),
        (["age"], "--feature is 'age', expected its name and how many words"),
        (["age=many"], "--feature is 'age=many', expected"),
    ],
)
def test_a_feature_that_nothing_is_known_of_is_asked_for(features, message, parsed):
    config = parsed("two_tower", user=["id", "city", "age"])

    with pytest.raises(ConfigError, match=message):
        shape.given(config, (10, 20, 30), features)


def test_data_in_small_have_the_same_columns(tiny_shape):
    small = miniature.interactions(tiny_shape, {"users": 5, "items": 7})

    assert (small.num_users, small.num_items) == (5, 7)
    assert small.items.features["genres"].values.shape == (8, 2)
    assert small.users.features["age"].vocabulary is None
    assert not np.isnan(small.users.features["age"].values).any()
    assert small.labels.keys() == {"like", "rating"} and small.observed.keys() == {"like"}


def test_a_number_that_is_missing_somewhere_is_missing_in_small_too(tiny_shape):
    columns = {"age": Column(lacks_some=True)}
    lacking = dataclasses.replace(tiny_shape, users=Side(4, 3.0, columns=columns))

    values = miniature.interactions(lacking, {"users": 5, "items": 7}).users.features["age"].values

    assert np.isnan(values[1:]).any()
