"""Heads and pairs."""

import numpy as np
import tensorflow as tf

from multitask_recommender.layers.heads import Head, HiddenLayers, PairShape, Towers


def test_the_width_of_a_pair():
    assert PairShape(vectors=4, fields=2).width == 4 + 4 + 4 + 2
    assert PairShape(2, 1).dot_product().tolist() == [0, 0, 0, 0, 1, 1, 1]


def test_a_linear_head_begins_without_the_fields_that_are_not_to_be_read_as_they_are():
    shape = PairShape(vectors=1, fields=3, unread=2)

    assert shape.width == 6
    assert shape.dot_product().tolist() == [0, 0, 1, 1, 0, 0]


def test_a_head_begins_as_the_dot_product_plus_fields_and_the_mean():
    rng = np.random.default_rng(0)
    query, candidate = rng.normal(size=(2, 5, 3)).astype(np.float32)
    biases = rng.normal(size=(5, 2)).astype(np.float32)
    pair = np.concatenate([query, candidate, query * candidate, biases], axis=1)

    output = Head(PairShape(3, 2), 3.5, "head")(tf.constant(pair))

    expected = (query * candidate).sum(axis=1) + biases.sum(axis=1) + 3.5
    np.testing.assert_allclose(output, expected, rtol=1e-5)
    assert output.shape == (5,)


def test_a_hidden_vector_adds_a_linear_term():
    head = Head(PairShape(1, 0), 0.0, "head")
    pair, hidden = tf.constant([[1.0, 2.0, 2.0]]), tf.constant([[3.0, -1.0]])
    before = head(pair, hidden) - head(pair)
    kernel = head._deep.get_weights()[0]

    np.testing.assert_allclose(before[0], 3 * kernel[0, 0] - kernel[1, 0], rtol=1e-5)
    assert len(head._deep.get_weights()) == 1  # one bias a head is enough


def test_without_its_linear_term_a_head_reads_the_hidden_vector_alone():
    head = Head(PairShape(1, 0), 0.5, "head", linear=False)
    hidden = tf.constant([[3.0, -1.0]])

    output = head(tf.constant([[1.0, 2.0, 2.0]]), hidden)

    kernel = head._deep.get_weights()[0]
    np.testing.assert_allclose(output, [0.5 + 3 * kernel[0, 0] - kernel[1, 0]], rtol=1e-5)
    assert len(head.get_weights()) == 2  # the kernel and the bias


def test_towers_read_each_their_own():
    towers = Towers(["like", "rating"], [3, 2], 0.5)
    inputs = {"rating": tf.ones([4, 3]), "like": tf.zeros([4, 3])}

    values = towers(inputs, (0, 1))
    dropped, again = (towers(inputs, (0, 1), training=True) for _ in range(2))

    assert list(values) == ["like", "rating"]
    assert values["rating"].shape == (4, 2)
    assert not values["like"].numpy().any()  # of nothing nothing: it has not read the others
    np.testing.assert_array_equal(dropped["rating"], again["rating"])


def test_a_tower_without_layers_gives_what_it_is_given():
    inputs = {"like": tf.ones([4, 3])}

    np.testing.assert_array_equal(Towers(["like"], [], 0.5)(inputs, (0, 1))["like"], inputs["like"])


def test_hidden_layers_are_relu_and_drop_by_the_seed_in_training():
    layers = HiddenLayers([4, 2], 0.5, "bottom")
    inputs = tf.random.stateless_normal([20, 3], [1, 2])

    values = layers(inputs, (0, 1))
    dropped, again, others = (layers(inputs, (0, n), training=True) for n in (1, 1, 2))

    assert values.shape == (20, 2)
    assert (values.numpy() >= 0).all()
    np.testing.assert_array_equal(values, layers(inputs, (0, 2)))
    np.testing.assert_array_equal(dropped, again)
    assert (dropped.numpy() != others.numpy()).any()
    assert (dropped.numpy() != values.numpy()).any()
