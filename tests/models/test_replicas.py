"""What replicas tell each other, by hand; across devices: tests/training/test_strategy.py."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import _cluster
from multitask_recommender.models import _replicas
from tests.training import processes


def test_a_mean_of_losses_weighs_batches_by_their_rows():
    mean = _replicas.LossMean("like")
    mean.update_state(2.0, sample_weight=3)
    mean.update_state(tf.constant(6.0), sample_weight=tf.constant(1))

    assert float(mean.result()) == 3.0
    mean.reset_state()
    assert float(mean.result()) == 0.0


@pytest.mark.parametrize("number, length", [(1, 1), (4, 4), (9, 10), (10, 10), (1025, 1280)])
def test_rows_travel_in_lengths_that_are_a_fourth_apart(number, length):
    gradient = tf.IndexedSlices(tf.zeros([number, 1]), tf.range(number))

    size = _replicas._size_of(gradient)

    assert np.asarray(_replicas._SIZES)[size.numpy() == 1].tolist() == [length]


def test_gradients_of_two_workers_add_up_by_row_and_what_was_filled_in_is_gone():
    """Row 2 is used by both, twice by one; row 0 is used although its gradient is nothing."""
    values = tf.constant([[1.0, 2.0], [10.0, 20.0], [0.0, 0.0]])
    ours = tf.IndexedSlices(values, tf.constant([2, 2, 0]))
    theirs = tf.IndexedSlices(tf.constant([[100.0, 200.0]]), tf.constant([2]))

    parts = [_replicas._filled(each, 4) for each in (ours, theirs)]
    found = _replicas._sums_by_row(*(tf.concat(each, 0) for each in zip(*parts, strict=True)))

    np.testing.assert_array_equal(found.indices, [2, 0])
    np.testing.assert_array_equal(found.values, [[111, 222], [0, 0]])


def test_a_row_that_a_worker_uses_several_times_travels_once(monkeypatch):
    """As of a table of hours: as many rows as the batch has, of which few are distinct."""
    alone = object.__new__(tf.distribute.MultiWorkerMirroredStrategy)
    travelled = []
    monkeypatch.setattr(tf.distribute, "get_strategy", lambda: alone)
    monkeypatch.setattr(_replicas, "summed", lambda values: values)
    monkeypatch.setattr(
        _replicas, "_gather", lambda tensor, key: travelled.append(tensor.numpy()) or tensor
    )
    gradient = tf.IndexedSlices(tf.ones([9, 1]), tf.constant([2, 0, 2, 2, 2, 2, 2, 2, 2]))

    (found,) = _replicas.summed_gradients([gradient])

    np.testing.assert_array_equal(travelled[0], [2, 0])
    np.testing.assert_array_equal(travelled[1], [[8], [1]])
    np.testing.assert_array_equal(found.indices, [2, 0])
    np.testing.assert_array_equal(found.values, [[8], [1]])


WORKER = """
import tensorflow as tf
from multitask_recommender.models import _replicas

strategy = tf.distribute.MultiWorkerMirroredStrategy()
mine = strategy.cluster_resolver.task_id + 1

def step(number, width):
    def gradients():
        values = tf.fill([number * mine, width], float(mine))
        some = tf.IndexedSlices(values, tf.range(number * mine) % 4)
        slices, total = _replicas.summed_gradients([some, tf.constant(float(mine))])
        return tf.math.unsorted_segment_sum(slices.values[:, -1], slices.indices, 4), total
    return strategy.run(gradients)

# A function for each model, and steps of one call, as in training.
for width, calls in ((2, ([1, 2, 1], [4, 5, 1])), (3, ([1],))):
    found = tf.function(
        lambda steps: tf.map_fn(lambda each: step(each, width), steps, (tf.float32, tf.float32))
    )
    for steps in calls:
        print(*(each.numpy().tolist() for each in found(tf.constant(steps))), flush=True)
"""


def test_workers_sum_gradients_of_however_many_rows(tmp_path):
    """Of worker 1, n rows of ones in turn on rows 0..3; of worker 2, 2 n rows of twos.

    Last, those of a second model in the same processes, whose rows are wider.
    """
    addresses = _cluster.addresses(worker=2)
    started = [
        processes.program(["-c", WORKER], tmp_path, addresses, "worker", k) for k in range(2)
    ]
    said = [process.communicate(timeout=120)[0] for process in started]

    assert [process.returncode for process in started] == [0, 0], said
    once, twice = "[3.0, 2.0, 0.0, 0.0]", "[3.0, 3.0, 2.0, 2.0]"
    for each in said:
        assert [line for line in each.splitlines() if line.startswith("[[")] == [
            f"[{once}, {twice}, {once}] [3.0, 3.0, 3.0]",
            f"[[5.0, 5.0, 5.0, 5.0], [8.0, 7.0, 5.0, 5.0], {once}] [3.0, 3.0, 3.0]",
            f"[{once}] [3.0]",
        ]


def test_a_step_leaves_out_what_nothing_reads():
    read, unread = tf.Variable(1.0), tf.Variable(1.0)

    _replicas.apply(
        tf.keras.optimizers.legacy.SGD(0.5), [tf.constant(1.0), None], [read, unread], False
    )

    assert (float(read), float(unread)) == (0.5, 1.0)
