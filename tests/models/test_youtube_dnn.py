"""YouTube DNN's state against the mean and the layers in numpy."""

import numpy as np
import tensorflow as tf

from multitask_recommender import config, experiment


def build(train, **settings):
    chosen = {"name": "youtube_dnn", "embedding_dimension": 4, "initial_stddev": 0.5, **settings}
    return experiment.build(config.parse({"model": chosen, "tasks": {"retrieval": {}}}), train)


def through(layers, inputs):
    for place, layer in enumerate(layers):
        inputs = inputs @ layer.kernel.numpy() + layer.bias.numpy()
        if place < len(layers) - 1:
            inputs = np.maximum(inputs, 0)
    return inputs


def test_the_state_is_the_tower_of_the_mean_of_what_was_read(tiny):
    model = build(tiny, hidden_layers=[5, 3], item_bias=False)
    histories = np.array([[2, 5, 2], [4, 0, 0], [0, 0, 0]], np.int32)

    states = model.embed_queries(
        {"user_id": tf.zeros(3, tf.int32), "history": tf.constant(histories)}
    ).numpy()

    table = model._inputs._ids.numpy()
    means = [table[[2, 5, 2]].mean(axis=0), table[4], np.zeros(4)]
    np.testing.assert_allclose(
        states, through(model._hidden, np.array(means)), rtol=1e-4, atol=1e-6
    )


def test_user_features_are_read_beside_the_mean(tiny):
    model = build(tiny, hidden_layers=[5], user=["job", "age"], item_bias=False)
    users = tf.constant([1, 2, 0])

    states = model.embed_queries({"user_id": users, "history": tf.constant([[2, 5]] * 3)}).numpy()

    mean = model._inputs._ids.numpy()[[2, 5]].mean(axis=0)
    of_users = model._users(users, model._user_view, (0, 0)).numpy()
    inputs = np.hstack([np.tile(mean, (3, 1)), of_users])
    np.testing.assert_allclose(states, through(model._hidden, inputs), rtol=1e-4, atol=1e-6)
    assert len(np.unique(states.round(5), axis=0)) == 3
