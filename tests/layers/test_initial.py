"""Tables begin as Keras' do, without what Keras leaves in memory."""

import math
import pathlib
import resource

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.layers import initial

SEED = 11


def keras_normal(stddev, shape, seed=SEED):
    return tf.keras.initializers.RandomNormal(stddev=stddev, seed=seed)(shape).numpy()


@pytest.mark.parametrize("shape", [(7, 3), (16, 3), (21, 5), (33, 2, 3), (40,)])
def test_values_are_those_of_keras_in_blocks_too(monkeypatch, shape):
    monkeypatch.setattr(initial, "_ROWS", 8)

    found = initial.Normal(stddev=0.3, seed=SEED)(shape).numpy()

    np.testing.assert_array_equal(found, keras_normal(0.3, shape))


def test_other_kinds_of_numbers_are_those_of_keras(monkeypatch):
    monkeypatch.setattr(initial, "_ROWS", 8)
    found, expected = (
        kind(seed=SEED)((21, 4), dtype=tf.float64).numpy()
        for kind in (initial.Normal, tf.keras.initializers.RandomNormal)
    )

    np.testing.assert_array_equal(found, expected)


def test_every_coordinate_may_have_a_deviation_of_its_own(monkeypatch):
    monkeypatch.setattr(initial, "_ROWS", 8)
    deviations = [0.1, 2.0, 0.0]

    found = initial.Normal(stddev=deviations, seed=SEED)((19, 3)).numpy()

    np.testing.assert_array_equal(found, keras_normal(deviations, (19, 3)))
    assert not found[:, 2].any()


def test_the_seed_of_the_process_draws_as_keras_does(monkeypatch):
    monkeypatch.setattr(initial, "_ROWS", 8)
    tf.keras.utils.set_random_seed(5)
    expected = [tf.keras.initializers.RandomNormal()((20, 4)).numpy() for _ in range(2)]

    tf.keras.utils.set_random_seed(5)
    found = [initial.Normal()((20, 4)).numpy() for _ in range(2)]

    np.testing.assert_array_equal(found, expected)
    assert not np.array_equal(*found)


def test_a_table_is_drawn_into_the_memory_of_its_variable():
    """Other tensors of its size would stay in TensorFlow's pool as long as the process lives."""
    size = 1 << 18, 32  # 32 MiB
    before = _peak_bytes()

    table = tf.Variable(initial.Normal(seed=SEED)(size))
    tf.nn.embedding_lookup(table, [3, 2])

    assert _peak_bytes() - before < 1.25 * 4 * math.prod(size)
    np.testing.assert_array_equal(table[-1], keras_normal(0.05, size)[-1])


def test_a_table_that_is_to_be_loaded_is_not_drawn_and_takes_no_memory():
    before = _resident_bytes()

    with initial.not_drawn():
        table = initial.Normal(seed=SEED)((1 << 20, 16))  # 64 MiB
        few = initial.Normal(stddev=0.3, seed=SEED)((3, 2))

    assert table.shape == (1 << 20, 16) and _resident_bytes() - before < 16 << 20
    np.testing.assert_array_equal(few, keras_normal(0.3, (3, 2)))


def test_tables_are_drawn_again_after_that(monkeypatch):
    monkeypatch.setattr(initial, "_ROWS", 8)
    with initial.not_drawn():
        pass

    np.testing.assert_array_equal(
        initial.Normal(stddev=0.3, seed=SEED)((9, 2)), keras_normal(0.3, (9, 2))
    )


def _peak_bytes():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _resident_bytes():
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()
