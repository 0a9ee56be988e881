"""GRU4Rec's state against the network's equations in numpy."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender import config, experiment


def build(train, **settings):
    chosen = {"name": "gru4rec", "embedding_dimension": 4, "initial_stddev": 0.5, **settings}
    return experiment.build(config.parse({"model": chosen, "tasks": {"retrieval": {}}}), train)


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def gru(layer, inputs):
    """States after each input [T, D], as Cho et al., 2014, with Keras' bias inside the reset."""
    kernel, recurrent, bias = (weight.numpy() for weight in layer.cell.weights)
    state, states = np.zeros(recurrent.shape[0]), []
    for vector in inputs:
        update, reset, new = np.split(vector @ kernel + bias[0], 3)
        of_update, of_reset, of_new = np.split(state @ recurrent + bias[1], 3)
        share = sigmoid(update + of_update)
        candidate = np.tanh(new + sigmoid(reset + of_reset) * of_new)
        state = share * state + (1 - share) * candidate
        states.append(state)
    return np.array(states)


def states_of(model, histories):
    features = {
        "user_id": tf.zeros(len(histories), tf.int32),
        "history": tf.constant(histories, tf.int32),
    }
    return model.embed_queries(features).numpy()


def test_the_state_is_that_of_the_network_after_the_items_read(tiny):
    model = build(tiny, layers=[3, 4], item_bias=False)
    table = model._items._ids.numpy()

    states = states_of(model, [[2, 5, 2], [4, 0, 0]])

    first, second = model._layers
    np.testing.assert_allclose(
        states[0], gru(second, gru(first, table[[2, 5, 2]]))[-1], rtol=1e-4, atol=1e-6
    )
    np.testing.assert_allclose(states[1], gru(second, gru(first, table[[4]]))[-1], rtol=1e-4)


def test_units_of_another_number_are_brought_to_the_width_of_items(tiny):
    model = build(tiny, layers=[6], item_bias=False)

    states = states_of(model, [[2, 5, 2]])

    after = gru(model._layers[0], model._items._ids.numpy()[[2, 5, 2]])[-1]
    np.testing.assert_allclose(states[0], after @ model._projection.kernel.numpy(), rtol=1e-4)


@pytest.mark.parametrize("tied", [True, False])
def test_tied_tables_are_read_and_retrieved_and_others_are_two(tiny, tied):
    model = build(tiny, tied=tied)
    tables = [variable for variable in model.trainable_variables if variable.shape == [7, 4]]

    assert len(tables) == (1 if tied else 2)
    before = states_of(model, [[3]])
    model._items._ids.assign(tf.zeros([7, 4]))
    assert np.allclose(states_of(model, [[3]]), before) == (not tied)


def test_by_cosine_long_states_score_as_short_ones_do(tiny):
    model = build(tiny, normalise=True, item_bias=False)

    vectors = states_of(model, [[2, 5, 2], [4, 0, 0]])

    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-5)


def test_dropout_is_in_training_only_and_by_the_seed(tiny):
    model = build(tiny, dropout=0.5, input_dropout=0.2)
    batch = model.batches(tiny, 100, seed=1).batch(0)
    ids = model._candidate_ids(batch)

    def queries(training):
        return model.encode(batch, ids, training=training).queries.numpy()

    np.testing.assert_array_equal(queries(training=True), queries(training=True))
    assert (queries(training=True) != queries(training=False)).any()
    np.testing.assert_array_equal(queries(training=False), queries(training=False))


def test_a_given_history_may_be_longer_than_what_is_read(tiny):
    """The latest items count."""
    scorer = build(tiny, session_length=2).scorer()
    users = {"user_id": np.zeros(2, np.int32)}

    longer = scorer.score_block(users | {"history": np.array([[1, 4, 2], [4, 2, 0]], np.int32)})

    np.testing.assert_allclose(longer[0], longer[1], rtol=1e-5)


def test_a_given_history_counts_instead_of_what_training_tells(tiny):
    """A row of zeros is none: the user's own counts."""
    model = build(tiny)
    users = np.array([1, 1, 0], np.int32)
    given = np.array([[4, 2], [0, 0], [4, 2]], np.int32)

    scores = model.scorer().score_block({"user_id": users, "history": given})

    known = model.scorer().score_block({"user_id": users})
    np.testing.assert_allclose(scores[1], known[1], rtol=1e-5)
    np.testing.assert_allclose(scores[0], scores[2], rtol=1e-5)
    assert np.abs(scores[0] - known[0]).max() > 1e-3
