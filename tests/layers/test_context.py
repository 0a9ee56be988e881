"""Features of events as vectors."""

import numpy as np
import tensorflow as tf

from multitask_recommender.interactions import Feature
from multitask_recommender.layers.context import Context

LEARNT = {
    "hour": Feature(np.array([1, 3, 0], np.int32), ("0", "1", "2")),  # code 2 was never met
    "tags": Feature(np.array([[1, 2], [2, 0], [2, 2]], np.int32), ("x", "y", "z")),  # nor 3 here
    "price": Feature(np.array([2, np.nan, 4], np.float32)),
    "place": Feature(np.array([1, 2, 1], np.int32), ("here", "there")),
}


def table_of(context, name):
    layer = context._vectors[name]
    layer.table.assign(np.random.default_rng(0).normal(size=layer.table.shape))
    return layer.table.numpy()


def test_each_feature_is_a_vector_of_each_row_in_the_order_of_the_names():
    context = Context(LEARNT, ["price", "hour"], dimension=2)
    price, hour = (table_of(context, name) for name in ("price", "hour"))

    vectors = context(
        {
            "hour": tf.constant([3, 1, 0, 3]),
            "price": tf.constant([4.0, np.nan, 3.0, 2.0]),
            "user_id": tf.constant([1, 2, 3, 4]),
        }
    )

    assert len(vectors) == 2
    by_hand = [price[0], price[1], [0, 0], -price[0]]
    np.testing.assert_allclose(vectors[0], by_hand, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(vectors[1], [hour[3], hour[1], [0, 0], hour[3]], rtol=1e-6)


def test_codes_that_no_training_row_has_are_read_as_missing():
    context = Context(LEARNT, ["hour", "tags"], dimension=2)
    tags = table_of(context, "tags")

    hours, tagged = context({"hour": tf.constant([2, 0]), "tags": tf.constant([[3, 1], [3, 0]])})

    np.testing.assert_array_equal(hours, np.zeros((2, 2)))
    np.testing.assert_allclose(tagged, [tags[1], [0, 0]], rtol=1e-6)


def test_without_names_there_is_nothing_to_read():
    context = Context(LEARNT, [], dimension=2)

    assert context({"user_id": tf.constant([1])}) == []
    assert context.weights == []
