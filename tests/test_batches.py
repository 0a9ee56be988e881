"""Batches: every row once an epoch, in an order that seed and step alone decide."""

import pathlib
import resource
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import columns
from multitask_recommender.batches import STEP_SEED, TrainingBatches, ordered_batches
from multitask_recommender.interactions import Entities, Interactions


@pytest.fixture
def rows():
    """23 rows of 5 users; the rating says which row it is."""
    users = np.random.default_rng(0).permutation(np.repeat([1, 2, 3, 4, 5], [9, 1, 6, 2, 5]))
    return Interactions(
        users.astype(np.int32),
        np.arange(23, dtype=np.int32) % 7 + 1,
        Entities(np.arange(1, 6), 5),
        Entities(np.arange(1, 8), 7),
        {"rating": np.arange(23, dtype=np.float32)},
    )


def batches_of(batches, number, start=0):
    return [
        {name: column.numpy() for name, column in batch.items()}
        for batch in batches.dataset(start).take(number)
    ]


def ratings(batches):
    return np.concatenate([batch["rating"] for batch in batches]).astype(int).tolist()


@pytest.mark.parametrize("by", ["row", "user", 2])
class TestTrainingBatches:
    def test_hold_every_row_once_an_epoch_in_another_order_each(self, rows, by):
        batches = TrainingBatches(rows, batch_size=4, seed=7, by=by)
        steps = batches.steps_per_epoch

        epochs = [ratings(batches_of(batches, steps, epoch * steps)) for epoch in range(3)]

        for epoch in epochs:
            assert sorted(epoch) == list(range(23))
        assert epochs[0] != epochs[1] != epochs[2] != epochs[0]

    def test_keep_the_columns_of_a_row_together(self, rows, by):
        for batch in batches_of(TrainingBatches(rows, 4, 7, by), 12):
            number = batch["rating"].astype(int)
            np.testing.assert_array_equal(batch["user_id"], rows.user_ids[number])
            np.testing.assert_array_equal(batch["item_id"], rows.item_ids[number])
            np.testing.assert_array_equal(batch["rating/observed"], np.ones(len(number)))

    def test_are_the_same_from_any_step_on(self, rows, by):
        whole = batches_of(TrainingBatches(rows, 4, 7, by), 17)
        later = batches_of(TrainingBatches(rows, 4, 7, by), 6, start=11)

        for first, second in zip(whole[11:], later, strict=True):
            for name in first:
                np.testing.assert_array_equal(first[name], second[name])

    def test_come_in_another_order_by_another_seed(self, rows, by):
        first, second = (TrainingBatches(rows, 4, seed, by) for seed in (7, 8))

        assert ratings(batches_of(first, 5)) != ratings(batches_of(second, 5))

    def test_each_have_a_seed_of_their_own(self, rows, by):
        batches = batches_of(TrainingBatches(rows, 4, 2**31 - 1, by), 15)

        assert {tuple(batch[STEP_SEED]) for batch in batches} == {
            (2**31 - 1, step) for step in range(15)
        }

    def test_may_be_larger_than_the_data(self, rows, by):
        batches = TrainingBatches(rows, 1_000, 7, by)

        assert batches.steps_per_epoch == 1
        assert sorted(ratings(batches_of(batches, 1))) == list(range(23))

    def test_of_one_row(self, rows, by):
        batches = TrainingBatches(rows.take(np.array([3])), 4, 7, by)

        assert batches.steps_per_epoch == 1
        assert ratings(batches_of(batches, 3)) == [3, 3, 3]

    def test_of_one_user(self, rows, by):
        batches = TrainingBatches(rows.take(rows.user_ids == 1), 4, 7, by)

        assert batches.steps_per_epoch == {"row": 3, "user": 1, 2: 3}[by]
        first = batches_of(batches, batches.steps_per_epoch)
        assert sorted(ratings(first)) == np.flatnonzero(rows.user_ids == 1).tolist()


def test_the_last_batch_of_an_epoch_holds_what_is_left(rows):
    batches = TrainingBatches(rows, 4, 7)

    sizes = [len(batch["rating"]) for batch in batches_of(batches, 7)]

    assert batches.steps_per_epoch == 6
    assert sizes == [4, 4, 4, 4, 4, 3, 4]


def test_by_user_a_batch_holds_whole_users(rows):
    batches = TrainingBatches(rows, batch_size=9, seed=7, by="user")  # about two users' rows

    assert batches.steps_per_epoch == 3
    seen = []
    for batch in batches_of(batches, 3):
        users = np.unique(batch["user_id"])
        assert len(batch["user_id"]) == np.isin(rows.user_ids, users).sum()
        seen += users.tolist()
    assert sorted(seen) == [1, 2, 3, 4, 5]


def test_by_a_number_so_many_rows_of_a_user_stay_together(rows):
    """Of users with 9, 1, 6, 2 and 5 rows: even parts of at most four, in their order."""
    batches = TrainingBatches(rows, batch_size=3, seed=7, by=4)  # about one part
    steps = batches.steps_per_epoch

    parts = [(set(each["user_id"]), ratings([each])) for each in batches_of(batches, steps)]

    sizes = {user: [] for user in range(1, 6)}
    for users, numbers in parts:
        assert numbers == sorted(numbers)
        sizes[users.pop()].append(len(numbers))
        assert not users
    assert {user: sorted(each) for user, each in sizes.items()} == {
        1: [3, 3, 3],
        2: [1],
        3: [3, 3],
        4: [2],
        5: [2, 3],
    }


def test_no_two_of_many_epochs_have_the_same_order(rows):
    """The block cipher knows but 256 keys of a word where there are few rows."""
    batches = TrainingBatches(rows, 23, 1)

    epochs = {tuple(batch["rating"]) for batch in batches_of(batches, 600)}

    assert len(epochs) == 600


def test_a_row_may_stand_anywhere(rows):
    """Each of 23 places, over 1150 epochs, 50 times."""
    batches = TrainingBatches(rows, 23, 1)
    epochs = np.array([batch["rating"] for batch in batches_of(batches, 1150)], int)

    counts = np.array([np.bincount(epochs[:, place], minlength=23) for place in range(23)])

    chi_square, freedom = np.square(counts - 50).sum() / 50, 22 * 22
    assert chi_square == pytest.approx(freedom, abs=5 * np.sqrt(2 * freedom))


@pytest.mark.parametrize("epoch", [0, 1, 1000])
def test_a_shuffle_leaves_nothing_of_the_order_of_rows(epoch):
    """As of uniformly drawn orders: no rank correlation, and neighbours a third of all apart."""
    number = 20_000
    ids, table = np.ones(number, np.int32), Entities(np.arange(1, 2), 1)
    labels = {"rating": np.arange(number, dtype=np.float32)}
    batches = TrainingBatches(Interactions(ids, ids, table, table, labels), number, seed=3)

    order = batches.batch(epoch)["rating"].numpy()  # the row at each place
    places = np.argsort(order)

    correlation = np.corrcoef(order, np.arange(number))[0, 1]
    distances = np.abs(np.diff(places))
    assert abs(correlation) < 4 / np.sqrt(number)
    deviation = number / np.sqrt(18) / np.sqrt(number)  # of their mean
    assert distances.mean() == pytest.approx((number + 1) / 3, abs=4 * deviation)
    assert np.count_nonzero(distances == 1) < 10  # 2 are expected
    of_parts = np.histogram(places[: number // 20], 20)[0]  # where the first twentieth went
    assert np.square(of_parts - 50).sum() / 50 < 50  # chi square of 19 degrees of freedom


def test_columns_are_read_where_they_are(rows):
    """Of what `take` has made, batches hold no copy."""
    taken = rows.take(np.arange(23))
    batches = TrainingBatches(taken, 23, 7)

    taken.labels["rating"][:] = 5.0

    assert set(batches.batch(0)["rating"].numpy()) == {5.0}


def test_reading_batches_copies_no_column():
    """tf.data's own rewriting of a dataset would, once for every iterator."""
    ids, ratings = columns.empty((1 << 22,), np.int32), columns.empty((1 << 22,), np.float32)
    ids[:], ratings[:] = 1, 0.5  # 16 MiB each
    one = Entities(np.arange(1, 2), 1)
    batches = TrainingBatches(Interactions(ids, ids, one, one, {"rating": ratings}), 8, seed=1)
    before = _resident_bytes()

    iterator = iter(batches.dataset())

    assert next(iterator)["rating"].numpy().tolist() == [0.5] * 8
    assert _resident_bytes() - before < 16 << 20


def _resident_bytes():
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def test_what_is_unknown_or_unobserved_is_zero(make_events):
    events = make_events([(1, 1), (3, 2), (2, 4)])  # rating 0, 1, 2, observed in rows 0 and 2
    held_out = Interactions(
        events.user_ids,
        events.item_ids,
        Entities(events.users.raw_ids, 2),
        Entities(events.items.raw_ids, 3),
        events.labels | {"like": np.array([np.nan, 1, 0], np.float32)},
        events.observed | {"like": np.array([False, True, True])},
    )

    (batch,) = ordered_batches(held_out, 3)
    arrays = {name: column.numpy() for name, column in batch.items()}

    assert arrays["user_id"].tolist() == [1, 0, 2]
    assert arrays["item_id"].tolist() == [1, 2, 0]
    assert arrays["rating"].tolist() == [0, 0, 2]
    assert arrays["rating/observed"].tolist() == [1, 0, 1]
    assert arrays["like"].tolist() == [0, 1, 0]
    assert arrays["like/observed"].tolist() == [0, 1, 1]


def test_ordered_batches_hold_each_row_once_in_order(rows):
    batches = list(ordered_batches(rows, 10))

    assert [len(batch["user_id"]) for batch in batches] == [10, 10, 3]
    assert np.concatenate([batch["rating"] for batch in batches]).tolist() == list(range(23))
    assert all(batch[STEP_SEED].numpy().tolist() == [0, 0] for batch in batches)


def test_a_program_ends_while_batches_are_read_ahead():
    """A thread that reads ahead must not wait for an interpreter that is ending."""
    program = """
import numpy as np
from multitask_recommender.batches import TrainingBatches
from multitask_recommender.interactions import Entities, Interactions
ids, table = np.ones(9, np.int32), Entities(np.arange(1, 2), 1)
iterator = iter(TrainingBatches(Interactions(ids, ids, table, table), 4, seed=0).dataset())
next(iterator)
"""
    done = subprocess.run([sys.executable, "-c", program], timeout=60, capture_output=True)

    assert done.returncode == 0


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_batches_are_the_same_at_any_number_of_threads(tiny, threads):
    options = tf.data.Options()
    options.threading.private_threadpool_size = threads
    options.threading.max_intra_op_parallelism = threads
    batches = TrainingBatches(tiny, 4, 42)

    found = batches.dataset(2).with_options(options).take(7)

    for step, features in enumerate(found, start=2):
        expected = batches.batch(step)
        assert features.keys() == expected.keys()
        for name, values in features.items():
            np.testing.assert_array_equal(values, expected[name])
