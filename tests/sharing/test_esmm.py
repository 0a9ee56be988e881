"""ESMM: products of chances as logits, exact; and where they begin."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import config
from multitask_recommender.errors import ConfigError
from multitask_recommender.layers.heads import PairShape
from multitask_recommender.sharing.esmm import Sharing, logit_of_product
from multitask_recommender.sharing.settings.esmm import Settings

PAIR = tf.random.stateless_normal([5, 7], [1, 2])
SHAPE = PairShape(2, 1)


def sigmoid(logits):
    return 1 / (1 + np.exp(-np.asarray(logits, np.float64)))


def logit(chance):
    return np.log(chance / (1 - chance))


def test_the_product_is_that_of_the_chances():
    a, b = np.meshgrid(np.linspace(-9, 9, 7), np.linspace(-8, 7, 6))

    found = logit_of_product(tf.constant(a), tf.constant(b))

    np.testing.assert_allclose(found, logit(sigmoid(a) * sigmoid(b)), rtol=1e-12)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (200.0, 200.0, 200 - np.log(2)),
        (-200.0, -200.0, -400.0),
        (200.0, -200.0, -200.0),
        (-200.0, 200.0, -200.0),
        (0.0, 200.0, 0.0),
        (0.0, 0.0, np.log(0.25 / 0.75)),
    ],
)
def test_the_product_and_its_gradient_are_right_at_any_size(a, b, expected):
    values = [tf.Variable(a), tf.Variable(b)]
    with tf.GradientTape() as tape:
        product = logit_of_product(*values)
    gradient = tape.gradient(product, values)

    assert float(product) == pytest.approx(expected, rel=1e-6)
    # d logit(p) / da = (1 - sigmoid(a)) / (1 - p), with 1 - p = e^-a + e^-b + e^-a-b, over 1 + it.
    terms = np.exp(np.array([-a, -b, -a - b], np.float64) - max(-a, -b, -a - b))
    share_a, share_b = terms[0] + terms[2], terms[1] + terms[2]
    np.testing.assert_allclose(
        gradient, np.array([share_a, share_b]) / terms.sum(), rtol=1e-5, atol=1e-7
    )


def test_a_chain_multiplies_what_comes_before(tasks):
    initial = {"share": -4.0, "rating": 3.0, "like": -2.0, "click": 0.5}
    sharing = Sharing(Settings(), SHAPE, tasks(initial, like="click", share="like"))

    found, own = sharing(PAIR), sharing.conditionals(PAIR)

    assert list(found) == list(initial)
    click, like = sigmoid(own["click"]), sigmoid(own["click"]) * sigmoid(own["like"])
    np.testing.assert_allclose(sigmoid(found["click"]), click, rtol=1e-5)
    np.testing.assert_allclose(sigmoid(found["like"]), like, rtol=1e-5)
    np.testing.assert_allclose(sigmoid(found["share"]), like * sigmoid(own["share"]), rtol=1e-5)
    np.testing.assert_array_equal(found["rating"], own["rating"])


def test_the_product_begins_at_the_rate_of_the_label(tasks):
    """Where the pair says nothing: of vectors of 0."""
    initial = {"click": logit(0.25), "like": logit(0.02), "share": logit(0.002)}
    sharing = Sharing(Settings(), SHAPE, tasks(initial, like="click", share="like"))

    found = sharing(tf.zeros([1, 7]))

    for label, rate in (("click", 0.25), ("like", 0.02), ("share", 0.002)):
        np.testing.assert_allclose(sigmoid(found[label])[0], rate, rtol=1e-5)


@pytest.mark.parametrize("like", [-1.0, 0.5, 300.0])
def test_a_label_as_frequent_as_what_it_needs_begins_at_a_finite_logit(tasks, like):
    initial = {"click": -1.0, "like": like}
    sharing = Sharing(Settings(), SHAPE, tasks(initial, like="click"))

    own = sharing.conditionals(tf.zeros([1, 7]))

    assert 6 < float(own["like"][0]) < 8


def test_the_loss_of_the_product_trains_both_factors(tasks):
    sharing = Sharing(Settings(), SHAPE, tasks({"click": 0.0, "like": -1.0}, like="click"))

    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(sharing(PAIR)["like"])
    gradients = tape.gradient(loss, sharing.trainable_variables)

    assert all(gradient is not None for gradient in gradients)


@pytest.mark.parametrize(("bottom", "kernels"), [("separate", 2), ("shared", 1)])
def test_layers_are_each_tasks_own_or_shared(tasks, bottom, kernels):
    settings = Settings(hidden_layers=[4], bottom=bottom)
    sharing = Sharing(settings, SHAPE, tasks({"click": 0.0, "like": -1.0}, like="click"))
    sharing(PAIR)

    assert [tuple(v.shape) for v in sharing.trainable_variables].count((7, 4)) == kernels


@pytest.mark.parametrize(
    ("tasks", "fault"),
    [
        (
            {"click": {}, "like": {}},
            "no task says which label it comes only with: set one such as "
            "tasks.like.only_with=click.",
        ),
        (
            {"like": {"only_with": "click"}, "share": {}},
            "tasks.like.only_with is 'click', which is no task of a binary label: esmm multiplies "
            "the chances of both. Such tasks here: like, share.",
        ),
        (
            {"like": {"only_with": "rating"}, "rating": {}},
            "tasks.like.only_with is 'rating', which is no task of a binary label",
        ),
        (
            {"click": {}, "like": {"only_with": "click", "observed_where": "click"}},
            "tasks.like.observed_where is 'click', but esmm learns 'like' from all rows, as a "
            "product: leave it out.",
        ),
    ],
)
def test_a_chain_must_be_one_of_tasks(tasks, fault):
    with pytest.raises(ConfigError) as caught:
        config.parse({"sharing": "esmm", "tasks": tasks})

    assert fault in str(caught.value)
