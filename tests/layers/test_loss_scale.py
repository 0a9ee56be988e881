"""Losses that are scaled: what float16 loses without, and steps that are left out."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.layers import loss_scale
from multitask_recommender.layers.precision import product, products_in
from multitask_recommender.training import optimizers

OPTIMIZERS = ("adagrad", "rowwise_adagrad", "adam", "lazy_adam")


def step(optimizer, variables, loss_of):
    """One step of training in float16."""
    with tf.GradientTape() as tape, products_in("float16"):
        loss = loss_of()
    gradients = loss_scale.gradients(tape, loss, variables, optimizer)
    optimizer.apply_gradients(zip(gradients, variables, strict=True))
    return gradients


def small_loss(table, weights):
    """Of rows 1 and 3 of a table, with a gradient of 1e-8 each number: float16 would make it 0."""
    return 1e-8 * tf.reduce_sum(product(tf.gather(table, [1, 3]), weights))


@pytest.fixture
def weights():
    return [tf.Variable(tf.ones([4, 2])), tf.Variable(tf.ones([2, 1]))]


def begun(name, weights):
    optimizer = loss_scale.wrapped(optimizers.build(name, 0.1), "float16")
    optimizer._create_all_weights(weights)
    return optimizer


def test_only_float16_is_scaled():
    plain = optimizers.build("adam", 0.1)
    for precision in ("float32", "bfloat16"):
        assert loss_scale.wrapped(plain, precision) is plain
    assert loss_scale.scale_of(plain) == loss_scale.scale_of(None) == 1.0
    assert loss_scale.state(plain) == []
    assert not loss_scale.is_exhausted(plain)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_gradients_come_through_that_float16_would_lose(name, weights):
    optimizer = begun(name, weights)

    of_table, of_weights = step(optimizer, weights, lambda: small_loss(*weights))

    assert isinstance(of_table, tf.IndexedSlices)
    np.testing.assert_allclose(of_table.values, np.full([2, 2], 1e-8), rtol=1e-3)
    np.testing.assert_allclose(of_weights, [[2e-8]] * 2, rtol=1e-3)
    lost = step(optimizers.build(name, 0.1), weights, lambda: small_loss(*weights))
    assert not np.any(lost[0].values)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_that_overflows_changes_nothing_but_the_scale_and_counts(name, weights):
    """Scaled by 2**20, a gradient of 1 is beyond 65,504."""
    optimizer = begun(name, weights)
    scale, in_a_row = loss_scale.state(optimizer)
    scale.assign(2.0**20)
    before = [each.numpy() for each in (*weights, *optimizer.variables()[1:])]

    step(optimizer, weights, lambda: 1e8 * small_loss(*weights))

    assert (int(optimizer.iterations), float(scale), int(in_a_row)) == (1, 2.0**19, 0)
    for one, other in zip(before, (*weights, *optimizer.variables()[1:]), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not loss_scale.is_exhausted(optimizer)


def test_the_scale_is_doubled_after_two_thousand_steps_that_were_well(weights):
    optimizer = begun("adagrad", weights)
    scale, in_a_row = loss_scale.state(optimizer)
    in_a_row.assign(1998)

    for expected in ((2.0**15, 1999), (2.0**16, 0)):
        step(optimizer, weights, lambda: small_loss(*weights))
        assert (float(scale), int(in_a_row)) == expected


def test_no_scale_helps_a_gradient_that_is_not_finite(weights):
    optimizer = begun("adagrad", weights)
    scale, _ = loss_scale.state(optimizer)
    scale.assign(4.0)

    exhausted = []
    for _ in range(2):
        step(optimizer, weights, lambda: np.inf * small_loss(*weights))
        exhausted.append(bool(loss_scale.is_exhausted(optimizer)))

    assert exhausted == [False, True]
