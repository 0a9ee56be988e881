"""What must hold for every file of the folder, whatever the tasks."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import registry
from multitask_recommender.layers.heads import PairShape

SHAPE = PairShape(vectors=2, fields=1)
PAIR = tf.random.stateless_normal([6, SHAPE.width], [1, 2])


@pytest.fixture(params=registry.names("sharing"))
def build(request, tasks):
    def build(outputs, only_with=None, **settings):
        chosen = registry.settings_class("sharing", request.param)(**settings)
        ranking = tasks(outputs, **(only_with or {}))
        return registry.load("sharing", request.param).Sharing(chosen, SHAPE, ranking)

    return build


@pytest.mark.parametrize(
    "outputs",
    [{"like": 0.5}, {"rating": 3.0}, {"like": 0.5, "rating": 3.0, "share": -2.0}],
    ids=str,
)
@pytest.mark.parametrize("hidden", [[], [4], [5, 4]])
def test_every_task_gets_a_number_for_each_row(build, outputs, hidden):
    sharing = build(outputs, hidden_layers=hidden)

    predicted = sharing(PAIR)

    assert list(predicted) == list(outputs)
    assert all(output.shape == (6,) for output in predicted.values())
    assert all(np.isfinite(output).all() for output in predicted.values())


def test_without_hidden_layers_heads_begin_as_the_dot_product_plus_their_means(build):
    predicted = build({"like": 0.5, "rating": 3.0}, hidden_layers=[])(PAIR)

    plain = PAIR.numpy()[:, 4:].sum(axis=1)  # product and field
    np.testing.assert_allclose(predicted["like"], plain + 0.5, rtol=1e-5)
    np.testing.assert_allclose(predicted["rating"], plain + 3.0, rtol=1e-5)


def test_without_a_linear_term_heads_read_hidden_layers_alone(build):
    """Which are ReLU without biases at first: of nothing they make nothing."""
    sharing = build({"like": 0.5, "rating": 3.0}, hidden_layers=[5, 4], linear=False)
    predicted = sharing(PAIR)

    assert not any(weights.shape == [SHAPE.width] for weights in sharing.weights)
    assert all(np.ptp(output) > 0 for output in predicted.values())
    nothing = sharing(tf.zeros_like(PAIR))
    np.testing.assert_allclose(nothing["like"], np.full(6, 0.5))
    np.testing.assert_allclose(nothing["rating"], np.full(6, 3.0))


def test_heads_that_would_read_nothing_are_refused(build):
    with pytest.raises(ValueError, match="linear is false, so heads read hidden_layers alone"):
        build({"like": 0.5}, hidden_layers=[], linear=False)


def test_without_tasks_it_says_nothing(build):
    assert build({})(PAIR) == {}


def test_a_task_moves_its_own_head_and_not_that_of_another(build):
    sharing = build({"like": 0.0, "rating": 3.0})
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(sharing(PAIR)["like"])
    gradients = tape.gradient(loss, sharing.trainable_variables)

    moved = {
        v.name for v, g in zip(sharing.trainable_variables, gradients, strict=True) if g is not None
    }
    assert any("head_like" in name for name in moved)
    assert not any("rating" in name for name in moved)


def test_every_weight_of_a_block_learns_from_the_tasks_together(build):
    """Gates too: in the official code of Tenrec they are no part of the model."""
    sharing = build({"click": 0.0, "like": -1.0, "rating": 3.0}, {"like": "click"})
    sharing(PAIR)
    for weights in sharing.trainable_variables:  # from a point where nothing is even, or 0
        weights.assign_add(0.1 * tf.random.stateless_normal(weights.shape, [3, 4]))

    with tf.GradientTape() as tape:
        loss = tf.add_n([tf.reduce_sum(tf.square(output)) for output in sharing(PAIR).values()])
    gradients = tape.gradient(loss, sharing.trainable_variables)

    assert all(np.abs(gradient).max() > 0 for gradient in gradients)


def test_dropout_is_in_training_only_and_by_the_seed(build):
    sharing = build({"like": 0.0}, hidden_layers=[64], dropout=0.9)
    plain = sharing(PAIR)["like"].numpy()

    dropped, again, other = (sharing(PAIR, (0, n), training=True)["like"] for n in (1, 1, 2))

    np.testing.assert_array_equal(sharing(PAIR)["like"], plain)
    np.testing.assert_array_equal(dropped, again)
    assert (dropped != plain).numpy().any()
    assert (dropped != other).numpy().any()


def test_the_batch_may_be_of_any_size_also_when_traced(build):
    sharing = build({"like": 0.5, "rating": 3.0}, hidden_layers=[5, 4])
    expected = sharing(PAIR)
    spec = tf.TensorSpec([None, SHAPE.width])

    traced = tf.function(lambda pair: sharing(pair), input_signature=[spec])

    for rows in (1, 6):
        for label, output in traced(PAIR[:rows]).items():
            np.testing.assert_allclose(output, expected[label][:rows], rtol=1e-5)


@pytest.mark.parametrize("hidden", [[], [4]])
def test_the_gates_of_a_task_share_out_one(build, hidden):
    sharing = build({"like": 0.5, "rating": 3.0}, hidden_layers=hidden)
    if not hasattr(sharing, "gates"):
        pytest.skip("it has no gates")
    sharing(PAIR)

    gates = sharing.gates(PAIR)

    assert bool(gates) == bool(hidden)
    for label in ("like", "rating") if hidden else ():
        own = [weights for name, weights in gates.items() if name.startswith(f"{label}/")]
        np.testing.assert_allclose(tf.add_n(own), np.ones(6), rtol=1e-5)
