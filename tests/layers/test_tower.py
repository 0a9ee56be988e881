"""Towers: sums of an id embedding, a history and features, through views that share tables."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.interactions import Feature
from multitask_recommender.layers.tower import FeatureEmbedding, Tower, View, sides

SEED = tf.constant([1, 2])


def table_of(layer):
    """Its table, filled with powers of ten: a sum shows what it is made of."""
    rows, dimension = layer.table.shape
    values = np.zeros((rows, dimension), np.float32)
    values[:, 0] = 10.0 ** np.arange(rows)
    layer.table.assign(values)
    return values


class TestFeatures:
    def test_a_code_has_its_vector_and_the_missing_none(self):
        layer = FeatureEmbedding("job", Feature(np.array([0, 2, 0, 1]), ("a", "b")), 2, 0.1)
        table_of(layer)

        vectors = layer(tf.constant([1, 3, 2, 0]))

        assert vectors.numpy()[:, 0].tolist() == [100, 10, 0, 0]

    def test_several_codes_are_averaged_over_those_there_are(self):
        codes = np.array([[0, 0, 0], [1, 3, 0], [2, 0, 0], [1, 2, 3]])
        layer = FeatureEmbedding("genres", Feature(codes, ("a", "b", "c")), 2, 0.1)
        table_of(layer)

        vectors = layer(tf.constant([0, 1, 2, 3]))

        np.testing.assert_allclose(vectors[:, 0], [0, 505, 100, 370], rtol=1e-6)

    def test_a_number_is_centred_and_scaled_and_the_missing_has_a_vector_of_its_own(self):
        """A missing number does not count; a 0 is a number."""
        ages = np.array([np.nan, 0, np.nan, 20, 40], np.float32)
        layer = FeatureEmbedding("age", Feature(ages), 2, 0.1)
        layer.table.assign([[1.0, -2.0], [7.0, 9.0]])

        vectors = layer(tf.constant([0, 1, 2, 3, 4]))

        one = 20 / np.std([0, 20, 40])
        np.testing.assert_allclose(vectors[:, 0], [7, -one, 7, 0, one], atol=1e-6)
        np.testing.assert_allclose(vectors[:, 1], [9, 2 * one, 9, 0, -2 * one], atol=1e-6)

    @pytest.mark.parametrize("values", [[np.nan] * 3, [np.nan, 7, 7]])
    def test_a_number_that_says_nothing_is_finite(self, values):
        layer = FeatureEmbedding("age", Feature(np.array(values, np.float32)), 2, 0.1)

        assert np.isfinite(layer(tf.constant([0, 1, 2]))).all()


def test_sides_know_who_met_whom_and_how_often(tiny):
    users, items = sides(tiny)

    assert (users.num_rows, items.num_rows) == (5, 7)
    assert users.counts.tolist() == items.other_counts.tolist() == [0, 4, 2, 3, 1]
    assert items.counts.tolist() == users.other_counts.tolist() == [0, 5, 2, 1, 1, 1, 0]
    assert users.histories[1].tolist() == [1, 2, 3, 1, 4, 1, 2, 5, 1]
    assert items.histories[0].tolist() == [0, 0, 4, 6, 7, 8, 9, 9]


class TestTower:
    @pytest.fixture
    def tower(self, tiny):
        return Tower(sides(tiny)[0], {"id", "history", "job", "age"}, dimension=3)

    def test_a_view_is_the_sum_of_its_inputs(self, tower):
        ids = tf.constant([1, 3, 1])
        inputs = ("id", "history", "job", "age")

        whole = tower(ids, View(inputs), SEED)

        parts = [tower(ids, View((name,)), SEED) for name in inputs]
        np.testing.assert_allclose(whole, tf.add_n(parts), rtol=1e-5)
        assert all(np.abs(part).sum() > 0 for part in parts)

    def test_views_share_tables(self, tower):
        names = [variable.name for variable in tower.trainable_variables]
        tower(tf.constant([1]), View(("id", "job")), SEED)
        tower(tf.constant([1]), View(("id", "history")), SEED)

        assert len(names) == len(tower.trainable_variables) == 4
        before = tower(tf.constant([2]), View(("id",)), SEED).numpy()
        tower._ids.assign_add(tf.ones([5, 3]))
        for inputs in (("id",), ("id", "age")):
            after = tower(tf.constant([2]), View(inputs), SEED)
            rest = tower(tf.constant([2]), View(inputs[1:]), SEED) if inputs[1:] else 0.0
            np.testing.assert_allclose(after - rest, before + 1, rtol=1e-5)

    def test_the_unknown_is_what_features_say_of_it(self, tiny):
        """A row 0 may hold features: of somebody who is new, they are what is known."""
        users = dict(tiny.users.features)
        users["job"] = Feature(np.array([2, 1, 2, 0, 1]), ("poet", "smith"))
        train = dataclasses.replace(tiny, users=dataclasses.replace(tiny.users, features=users))
        tower = Tower(sides(train)[0], ["id", "history", "job"], dimension=3)

        unknown = tower(tf.constant([0]), View(("id", "history", "job")), SEED)

        np.testing.assert_allclose(unknown[0], tower._features["job"].table[2], rtol=1e-6)
        nothing = tower(tf.constant([0, 0]), View(("id", "history")), SEED)
        np.testing.assert_array_equal(nothing, np.zeros((2, 3)))

    def test_a_step_never_moves_the_row_of_the_unknown(self, tower):
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(tower(tf.constant([0, 2]), View(("id",)), SEED))
        gradient = tf.convert_to_tensor(tape.gradient(total, tower._ids))

        assert gradient.numpy().tolist() == [[0] * 3, [0] * 3, [1] * 3, [0] * 3, [0] * 3]

    def test_history_drops_in_training_only(self, tower):
        view, ids = View(("history",), history_dropout=0.5), tf.constant([1, 3] * 20)

        np.testing.assert_array_equal(tower(ids, view, SEED), tower(ids, View(("history",)), SEED))
        trained = tower(ids, view, SEED, training=True)
        assert (trained != tower(ids, view, SEED)).numpy().any()

    def test_hidden_layers_come_back_to_the_dimension(self, tiny):
        tower = Tower(sides(tiny)[1], {"id"}, dimension=3, hidden_layers=[8, 5])

        vectors = tower(tf.constant([0, 1, 6]), View(("id",)), SEED)

        assert vectors.shape == (3, 3)
        units = [tuple(layer.kernel.shape) for layer in tower._hidden]
        assert units == [(3, 8), (8, 5), (5, 3)]
        first, second, last = (layer.get_weights() for layer in tower._hidden)
        hidden = np.maximum(tower._ids.numpy()[[1]] @ first[0] + first[1], 0)
        hidden = np.maximum(hidden @ second[0] + second[1], 0)
        np.testing.assert_allclose(vectors[1:2], hidden @ last[0] + last[1], rtol=1e-4, atol=1e-6)

    def test_weight_decay_is_of_the_rows_that_the_view_reads(self, tower, tiny):
        ids, others = tf.constant([1, 1, 2]), tf.constant([3, 1, 1])
        own = np.square(tower._ids.numpy()).sum(axis=1)
        met = np.square(tower._history.table.numpy()).sum(axis=1)
        of_ids = (2 * own[1] / np.sqrt(4) + own[2] / np.sqrt(2)) / 3
        of_history = (met[3] + 2 * met[1] / np.sqrt(5)) / 3

        def penalty(*inputs):
            return float(tower.penalty(View(inputs), ids, others))

        assert penalty("id") == pytest.approx(of_ids, rel=1e-5)
        assert penalty("history", "job") == pytest.approx(of_history, rel=1e-5)
        assert penalty("id", "history") == pytest.approx(of_ids + of_history, rel=1e-5)
        assert penalty("job", "age") == 0
