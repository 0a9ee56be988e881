"""Shares: every row of a batch is in one of them, with its query's others, and each epoch once."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from multitask_recommender import shares
from multitask_recommender.batches import STEP_SEED, TrainingBatches
from multitask_recommender.interactions import Entities, Interactions


def take(columns, number):
    columns = {name: tf.constant(values) for name, values in columns.items()}
    return [shares.take(columns, tf.constant(n), number) for n in range(number)]


@settings(max_examples=25, deadline=None)
@given(users=st.lists(st.integers(1, 6), min_size=1, max_size=20), number=st.integers(1, 5))
def test_every_row_is_in_the_one_share_of_its_user(users, number):
    batch = {"user_id": users, "item_id": list(range(len(users)))}

    parts = take(batch, number)

    rows = [part["item_id"].numpy().tolist() for part in parts]
    assert sorted(sum(rows, [])) == batch["item_id"]
    owners = [{users[row] for row in each} for each in rows]
    assert sum(map(len, owners)) == len(set(users))
    assert max(map(len, owners)) - min(map(len, owners)) <= 1


def test_a_share_knows_the_ids_and_labels_of_all_rows_and_its_place_among_them():
    batch = {"user_id": [7, 8, 7, 9], "item_id": [1, 2, 3, 4]}
    batch |= {"like": [0.0, 1.0, 1.0, 0.0], "like/observed": [1.0, 1.0, 0.0, 1.0], "hour": [5] * 4}

    first, second = take(batch, 2)

    assert first["item_id"].numpy().tolist() == [1, 3]
    assert second["item_id"].numpy().tolist() == [2, 4]
    every = shares.whole(second)
    assert every["item_id"].numpy().tolist() == [1, 2, 3, 4]
    assert every["like"].numpy().tolist() == [0, 1, 1, 0]
    assert "hour" not in every
    assert float(shares.fraction(second)) == 0.5
    assert shares.rows(second).places.numpy().tolist() == [1, 3]
    users = shares.distinct(second, lambda each: tf.unique(each["user_id"]).idx)
    assert (users.places.numpy().tolist(), int(users.number)) == ([1, 2], 3)
    assert users.ids.numpy().tolist() == [7, 8, 9]


def test_rows_of_one_history_stay_together():
    batch = {"user_id": [1, 1, 2, 2, 3], "item_id": [1, 2, 3, 4, 5]}
    batch |= {"history": [[1, 0], [2, 3], [4, 0]], "history_row": [0, 0, 1, 1, 2]}
    batch |= {"history_length": [0, 1, 1, 2, 0]}

    first, second = take(batch, 2)

    assert first["history"].numpy().tolist() == [[1, 0]]
    assert second["history"].numpy().tolist() == [[2, 3], [4, 0]]
    assert second["history_row"].numpy().tolist() == [0, 0, 1]
    lines = shares.histories(second)
    assert (lines.places.numpy().tolist(), int(lines.number)) == ([1, 2], 3)


def test_what_is_no_share_is_the_whole():
    batch = {"user_id": [1], "item_id": [2]}

    assert shares.whole(batch) is batch
    assert shares.rows(batch) is shares.histories(batch) is None


@pytest.mark.parametrize("by", ["row", "user", 3])
@pytest.mark.parametrize("workers", [(1, 4), (2, 1), (4, 1), (2, 2)])
def test_each_example_comes_once_an_epoch_over_workers_and_their_devices(by, workers):
    number, devices = workers
    users = np.random.default_rng(0).integers(1, 6, 23).astype(np.int32)
    rows = Interactions(
        users,
        np.arange(1, 24, dtype=np.int32),  # which row it is
        Entities(np.arange(1, 6), 5),
        Entities(np.arange(1, 24), 23),
        {"rating": np.zeros(23, np.float32)},
    )
    batches = TrainingBatches(rows, 6, seed=1, by=by)
    steps, total = batches.steps_per_epoch, number * devices

    for epoch in range(2):
        found, seeds = [], []
        for worker in range(number):
            own = range(worker * devices, (worker + 1) * devices)
            for part in batches.dealt(epoch * steps, own, total).take(steps * devices):
                found.extend(part["item_id"].numpy().tolist())
                seeds.append(tuple(part[STEP_SEED].numpy()))
        assert sorted(found) == list(range(1, 24))
        assert set(seeds) == {(1, epoch * steps + step) for step in range(steps)}
