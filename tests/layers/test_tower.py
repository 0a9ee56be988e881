"""Towers: sums of an id embedding, a history and features, through views that share tables."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.interactions import Feature
from multitask_recommender.layers.tower import Tower, View, sides

SEED = tf.constant([1, 2])


def test_sides_know_who_met_whom_and_how_often(tiny):
    users, items = sides(tiny)

    assert (users.num_rows, items.num_rows) == (5, 7)
    assert users.counts.tolist() == items.other_counts.tolist() == [0, 4, 2, 3, 1]
    assert items.counts.tolist() == users.other_counts.tolist() == [0, 5, 2, 1, 1, 1, 0]
    assert users.met[1].tolist() == [1, 2, 3, 1, 4, 1, 2, 5, 1]
    assert items.met[0].tolist() == [0, 0, 4, 6, 7, 8, 9, 9]
    assert users.positives is items.positives is None


def test_sides_know_whom_they_met_as_a_positive(tiny):
    """Item 1 was liked by users 1, 2 and 3; the likes of items 4 and 5 are not known."""
    users, items = sides(tiny, "like")

    assert [column.tolist() for column in users.positives] == [[0, 0, 1, 2, 3, 3], [1, 1, 1]]
    assert [column.tolist() for column in items.positives] == [[0, 0, *[3] * 6], [1, 2, 3]]
    assert users.counts.tolist() == [0, 4, 2, 3, 1]  # by which tables decay: of all events
    assert users.met[1].tolist() == [1, 2, 3, 1, 4, 1, 2, 5, 1]


class TestTower:
    @pytest.fixture
    def tower(self, tiny):
        return Tower(sides(tiny)[0], {"id", "history", "job", "age"}, dimension=3)

    def test_a_view_is_the_sum_of_its_inputs(self, tower):
        ids = tf.constant([1, 3, 1])
        inputs = ("id", "history", "job", "age")

        whole = tower(ids, View(inputs), SEED)

        parts = [tower(ids, View((name,)), SEED) for name in inputs]
        np.testing.assert_allclose(whole, tf.add_n(parts), rtol=1e-5, atol=1e-7)
        assert all(np.abs(part).sum() > 0 for part in parts)

    def test_its_parts_are_what_it_sums(self, tower):
        ids, view = tf.constant([1, 3, 1]), View(("age", "id", "history"))

        parts = tower.parts(ids, view, SEED)

        assert [part.shape for part in parts] == [(3, 3)] * 3
        np.testing.assert_allclose(tf.add_n(parts), tower(ids, view, SEED), rtol=1e-6, atol=1e-7)

    def test_nothing_of_the_table_above_the_vocabulary_is_read(self, tiny):
        """Rows of users met in test only: their ages would move the mean."""
        users = dataclasses.replace(tiny.users, num_known=2)
        tower = Tower(sides(dataclasses.replace(tiny, users=users))[0], {"age"}, dimension=1)

        vectors = tower(tf.constant([1, 2]), View(("age",)), SEED)  # 20 and 40 years

        table = tower._features["age"].table.numpy()[0]
        np.testing.assert_allclose(vectors, [-table, table], rtol=1e-4)

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
