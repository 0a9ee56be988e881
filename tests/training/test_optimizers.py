"""Optimizers on dense gradients, and on the rows of a table."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.training import optimizers
from multitask_recommender.training.settings import Settings

ROWS = np.array([[1.0, -2.0], [0.5, 3.0], [0.0, 0.25], [7.0, -1.0]], np.float32)


def apply(optimizer, table, indices, values):
    slices = tf.IndexedSlices(tf.constant(values), tf.constant(indices), tf.constant([4, 2]))
    optimizer.apply_gradients([(slices, table)])


def adam_by_hand(rows, gradients, rate):
    """Kingma and Ba, algorithm 1, with the epsilon of Keras, over the steps' gradients."""
    m, v, rows = np.zeros(2), np.zeros(2), np.array(rows, np.float64)
    for step, gradient in gradients:
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * np.square(gradient)
        corrected = rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        rows -= corrected * m / (np.sqrt(v) + 1e-7)
    return rows


def test_lazy_adam_is_adam_where_gradients_are_dense():
    first, second = tf.Variable(ROWS), tf.Variable(ROWS)
    lazy, adam = optimizers.build("lazy_adam", 0.1), optimizers.build("adam", 0.1)
    rng = np.random.default_rng(0)

    for _ in range(5):
        gradient = tf.constant(rng.normal(size=(4, 2)), tf.float32)
        lazy.apply_gradients([(gradient, first)])
        adam.apply_gradients([(gradient, second)])

    np.testing.assert_array_equal(first, second)


def test_lazy_adam_is_adam_where_every_row_is_used_at_every_step():
    first, second = tf.Variable(ROWS), tf.Variable(ROWS)
    lazy, adam = optimizers.build("lazy_adam", 0.1), optimizers.build("adam", 0.1)
    rng = np.random.default_rng(0)

    for _ in range(5):
        gradient = rng.normal(size=(4, 2)).astype(np.float32)
        apply(lazy, first, [2, 0, 3, 1], gradient[[2, 0, 3, 1]])
        adam.apply_gradients([(tf.constant(gradient), second)])

    np.testing.assert_allclose(first, second, rtol=1e-5)


def test_lazy_adam_moves_used_rows_as_by_hand_and_leaves_others_as_they_were():
    table = tf.Variable(ROWS)
    optimizer = optimizers.build("lazy_adam", 0.1)
    first, second, third = np.array([[1, 2], [3, -4], [0.5, 0.5]], np.float32)

    apply(optimizer, table, [1, 3, 1], [first, second, third])  # row 1 twice: summed
    after_one = table.numpy().copy()
    apply(optimizer, table, [3], [third])

    np.testing.assert_array_equal(table.numpy()[[0, 2]], ROWS[[0, 2]])
    np.testing.assert_array_equal(table.numpy()[1], after_one[1])  # no momentum without use
    np.testing.assert_allclose(
        table[1], adam_by_hand(ROWS[1], [(1, first + third)], 0.1), rtol=1e-5
    )
    np.testing.assert_allclose(
        table[3], adam_by_hand(ROWS[3], [(1, second), (2, third)], 0.1), rtol=1e-5
    )


@pytest.mark.parametrize("name", ["adagrad", "rowwise_adagrad", "lazy_adam"])
def test_unused_rows_and_their_moments_stay_bit_for_bit(name):
    table = tf.Variable(ROWS)
    optimizer = optimizers.build(name, 0.1)
    apply(optimizer, table, [0, 1, 2, 3], ROWS)
    before = [table.numpy().copy(), *(weight.copy() for weight in optimizer.get_weights()[1:])]

    apply(optimizer, table, [2, 2], ROWS[:2])

    after = [table.numpy(), *optimizer.get_weights()[1:]]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old[[0, 1, 3]], new[[0, 1, 3]])
        assert (old[2] != new[2]).all()


def test_adam_moves_every_row_at_every_step_as_that_of_keras_does():
    ours, theirs = tf.Variable(ROWS), tf.Variable(ROWS)
    adam, keras = optimizers.build("adam", 0.1), tf.keras.optimizers.legacy.Adam(0.1)
    first, second, third = np.array([[1, 2], [3, -4], [0.5, 0.5]], np.float32)

    for optimizer, table in ((adam, ours), (keras, theirs)):
        apply(optimizer, table, [1, 3, 1], [first, second, third])
        apply(optimizer, table, [2], [third])

    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    expected = adam_by_hand(ROWS[1], [(1, first + third), (2, 0.0)], 0.1)
    np.testing.assert_allclose(ours[1], expected, rtol=1e-5)


def test_adagrad_sums_squares_from_the_initial_accumulator():
    table = tf.Variable(ROWS)
    optimizer = optimizers.build("adagrad", 0.5)

    apply(optimizer, table, [1, 1], [[1.0, 2.0], [1.0, -1.0]])
    apply(optimizer, table, [1], [[3.0, 0.0]])

    expected = ROWS[1] - 0.5 * np.array([2 / np.sqrt(4.1) + 3 / np.sqrt(13.1), 1 / np.sqrt(1.1)])
    np.testing.assert_allclose(table[1], expected, rtol=1e-5)
    np.testing.assert_array_equal(table.numpy()[[0, 2, 3]], ROWS[[0, 2, 3]])


def test_a_mean_over_a_batch_moves_weights_as_a_sum_does_in_keras():
    """The gradients of a mean over 8 rows are an eighth of those of a sum."""
    ours, theirs = tf.Variable(ROWS), tf.Variable(ROWS)
    settings = Settings(batch_size=8, optimizer="adagrad")
    adagrad = optimizers.build("adagrad", 0.5, settings.first_accumulator)
    keras = tf.keras.optimizers.legacy.Adagrad(0.5)

    for scale in (1.0, 0.1, -0.03):
        adagrad.apply_gradients([(scale * tf.constant(ROWS) / 8, ours)])
        keras.apply_gradients([(scale * tf.constant(ROWS), theirs)])

    np.testing.assert_allclose(ours, theirs, rtol=1e-4)


def test_an_accumulator_that_is_given_is_taken():
    assert Settings(batch_size=8, initial_accumulator=0.0).first_accumulator == 0.0
    assert Settings(batch_size=8, initial_accumulator=0.25).first_accumulator == 0.25


def test_rowwise_adagrad_keeps_the_mean_square_of_a_row():
    table = tf.Variable(ROWS)
    optimizer = optimizers.build("rowwise_adagrad", 0.5)

    apply(optimizer, table, [1, 1], [[1.0, 2.0], [1.0, -1.0]])  # summed: 2, 1
    apply(optimizer, table, [1], [[3.0, 0.0]])

    first, second = 0.1 + (4 + 1) / 2, 0.1 + (4 + 1) / 2 + 9 / 2
    expected = ROWS[1] - 0.5 * (np.array([2, 1]) / first**0.5 + np.array([3, 0]) / second**0.5)
    np.testing.assert_allclose(table[1], expected, rtol=1e-5)
    np.testing.assert_array_equal(table.numpy()[[0, 2, 3]], ROWS[[0, 2, 3]])
    assert optimizer.get_slot(table, "accumulator").shape == (4, 1)


def test_rowwise_adagrad_is_the_same_for_dense_and_for_sparse_gradients():
    first, second = tf.Variable(ROWS), tf.Variable(ROWS)
    gradient = np.array([[1, -1], [0.5, 2], [3, 0], [-1, 1]], np.float32)

    optimizers.build("rowwise_adagrad", 0.1).apply_gradients([(tf.constant(gradient), first)])
    apply(optimizers.build("rowwise_adagrad", 0.1), second, [2, 0, 3, 1], gradient[[2, 0, 3, 1]])

    np.testing.assert_allclose(first, second, rtol=1e-6)


@pytest.mark.parametrize("weights", [np.float32(2), np.array([1, -2, 3], np.float32)])
def test_rowwise_adagrad_is_adagrad_where_there_are_no_columns(weights):
    ours, plain = tf.Variable(weights), tf.Variable(weights)
    for name, variable in (("rowwise_adagrad", ours), ("adagrad", plain)):
        optimizer = optimizers.build(name, 0.1)
        for scale in (1.0, 0.5):
            optimizer.apply_gradients([(scale * tf.ones_like(variable) + variable, variable)])

    np.testing.assert_allclose(ours, plain, rtol=1e-6)


def test_lazy_adam_follows_a_schedule_and_goes_on_within_a_graph():
    rate = tf.keras.optimizers.schedules.CosineDecay(0.1, 2)
    table, optimizer = tf.Variable(ROWS), optimizers.build("lazy_adam", rate)
    step = tf.function(lambda: apply(optimizer, table, [1], [[1.0, 1.0]]))

    step()
    step()
    after = table.numpy().copy()
    step()  # the rate is 0 from here on

    assert (after[1] != ROWS[1]).all()
    np.testing.assert_array_equal(table, after)
    assert int(optimizer.iterations) == 3


@pytest.mark.parametrize("name", ["adagrad", "rowwise_adagrad", "adam", "lazy_adam"])
def test_what_it_knows_of_a_table_in_shards_is_read_into_other_shards(name, tmp_path):
    def trained(*blocks):
        shards = [
            tf.Variable(each, dtype=tf.float32, name=f"table/part_{place}")
            for place, each in enumerate(blocks)
        ]
        table = tf.__internal__.distribute.ShardedVariable(shards)
        optimizer = optimizers.build(name, 0.1)
        gradients = [tf.IndexedSlices([[2.0, 4.0]], [0], tf.shape(each)) for each in shards]
        optimizer.apply_gradients(zip(gradients, shards, strict=True))
        return table, optimizer, tf.train.Checkpoint(table=table, optimizer=optimizer)

    table, optimizer, state = trained(np.ones([2, 2]), np.ones([2, 2]))
    state.write(str(tmp_path / "state"))
    other, its_optimizer, its_state = trained(np.zeros([3, 2]), np.zeros([1, 2]))

    its_state.read(str(tmp_path / "state")).assert_consumed()

    assert optimizer.get_slot_names()
    for slot in optimizer.get_slot_names():
        one, same = optimizer.get_slot(table, slot), its_optimizer.get_slot(other, slot)
        np.testing.assert_array_equal(tf.convert_to_tensor(one), tf.convert_to_tensor(same))
    np.testing.assert_array_equal(tf.convert_to_tensor(table), tf.convert_to_tensor(other))
