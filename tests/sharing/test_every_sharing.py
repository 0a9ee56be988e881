"""What must hold for every file of the folder, whatever the tasks."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import registry
from multitask_recommender.layers.heads import PairShape

SHAPE = PairShape(vectors=2, fields=1)
PAIR = tf.random.stateless_normal([6, SHAPE.width], [1, 2])


@pytest.fixture(params=registry.names("sharing"))
def build(request):
    def build(outputs, **settings):
        chosen = registry.settings_class("sharing", request.param)(**settings)
        return registry.load("sharing", request.param).Sharing(chosen, SHAPE, outputs)

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


def test_dropout_is_in_training_only(build):
    sharing = build({"like": 0.0}, hidden_layers=[64], dropout=0.9)

    np.testing.assert_array_equal(sharing(PAIR)["like"], sharing(PAIR)["like"])
    assert (sharing(PAIR, training=True)["like"] != sharing(PAIR)["like"]).numpy().any()
