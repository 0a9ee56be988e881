"""Gradients of one's own: a tape's alone, and gone with the graph that they were made for."""

import gc
import pathlib
import threading
import weakref

import pytest
import tensorflow as tf

import multitask_recommender
from multitask_recommender.layers.own_gradient import own_gradient


@own_gradient
def tripled(values):
    """As it is; its gradient is said to be three times what it is."""
    return values + 0.0, lambda upstream: 3.0 * upstream


def gradient(values):
    with tf.GradientTape() as tape:
        tape.watch(values)
        total = tf.reduce_sum(2.0 * tripled(values))
    return tape.gradient(total, values)


@pytest.mark.parametrize("within", [lambda function: function, tf.function], ids=["eager", "graph"])
def test_a_tape_knows_of_it(within):
    found = within(gradient)(tf.constant([1.0, 5.0]))

    assert found.numpy().tolist() == [6.0, 6.0]


def test_nothing_keeps_the_graph_and_what_it_has_captured():
    graph, handle = of_a_function_that_is_gone()

    gc.collect()

    assert graph() is None and handle() is None


def of_a_function_that_is_gone():
    """Its graph, and the handle of the table that it has captured, if they are still there."""
    table = tf.Variable(tf.zeros([3]))
    traced = tf.function(lambda: gradient(tf.identity(table))).get_concrete_function()
    assert traced().numpy().tolist() == [6.0, 6.0, 6.0]
    return weakref.ref(traced.graph), weakref.ref(table.handle)


def test_what_another_thread_traces_meanwhile_keeps_its_gradient():
    theirs = tf.function(tf.custom_gradient(lambda values: (values, lambda upstream: 5 * upstream)))
    one = tf.constant([1.0])

    @own_gradient
    def own(values):
        other = threading.Thread(target=theirs, args=[one])
        other.start()
        other.join()
        return values + 0.0, lambda upstream: upstream

    tf.function(own)(one)

    with tf.GradientTape() as tape:
        tape.watch(one)
        total = theirs(one)
    assert tape.gradient(total, one).numpy().tolist() == [5.0]


def test_nobody_else_makes_gradients_of_his_own():
    package = pathlib.Path(multitask_recommender.__file__).parent
    users = [path.name for path in package.rglob("*.py") if "custom_gradient" in path.read_text()]

    assert users == ["own_gradient.py"]
