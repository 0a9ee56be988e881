"""A feature's vector: what it is a mean of, what is missing, and how sparse its gradient is."""

import numpy as np
import pytest
import tensorflow as tf

from multitask_recommender.interactions import Feature
from multitask_recommender.layers import features
from multitask_recommender.layers.features import FeatureEmbedding, FeatureVectors

MANY = tuple(f"code {n}" for n in range(1, 101))  # gathered; few are a matrix product


def vectors_of(learnt, dimension=2):
    layer = FeatureVectors("f", learnt, dimension, 0.5)
    layer.table.assign(np.random.default_rng(0).normal(size=layer.table.shape))
    return layer, layer.table.numpy()


@pytest.mark.parametrize("vocabulary", [("a", "b", "c"), MANY], ids=["few", "many"])
class TestCodes:
    def test_a_code_has_its_vector_and_the_missing_none(self, vocabulary):
        layer, table = vectors_of(Feature(np.array([1, 2]), vocabulary))

        vectors = layer(tf.constant([3, 0, 1, 3]))

        np.testing.assert_allclose(vectors, [table[3], [0, 0], table[1], table[3]], rtol=1e-6)

    def test_several_codes_are_averaged_over_those_there_are(self, vocabulary):
        """Padding may stand anywhere, and a code may be repeated: it counts twice."""
        layer, table = vectors_of(Feature(np.array([[1, 2, 3]]), vocabulary))

        vectors = layer(tf.constant([[0, 0, 0], [2, 0, 3], [1, 1, 3], [0, 0, 1]]))

        by_hand = [[0, 0], (table[2] + table[3]) / 2, (2 * table[1] + table[3]) / 3, table[1]]
        np.testing.assert_allclose(vectors, by_hand, rtol=1e-6)

    def test_padding_learns_nothing(self, vocabulary):
        layer, _ = vectors_of(Feature(np.array([[1, 2]]), vocabulary))
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(layer(tf.constant([[0, 2], [0, 0]])))

        gradient = tf.convert_to_tensor(tape.gradient(total, layer.table)).numpy()

        expected = np.zeros_like(gradient)
        expected[2] = 1
        np.testing.assert_array_equal(gradient, expected)


@pytest.mark.parametrize("codes", [[5, 90, 5, 0], [[5, 90], [5, 0], [0, 0], [7, 7]]])
def test_the_gradient_of_a_large_table_holds_the_rows_of_the_batch_alone(codes):
    layer, _ = vectors_of(Feature(np.array(codes), MANY))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(tf.constant(codes)))

    gradient = tape.gradient(total, layer.table)

    assert isinstance(gradient, tf.IndexedSlices)
    assert set(gradient.indices.numpy().tolist()) - {0} == set(np.unique(codes)) - {0}
    assert len(gradient.indices) <= 4


class TestNumbers:
    def test_they_are_scaled_by_what_is_learnt_from(self):
        layer, table = vectors_of(Feature(np.array([10, 20, 60], np.float32)))

        vectors = layer(tf.constant([30.0, 1000.0]))

        scaled = (np.array([[30], [1000]]) - 30) / np.std([10, 20, 60])
        np.testing.assert_allclose(vectors, scaled * table, rtol=1e-5)

    def test_the_missing_has_a_vector_where_something_learnt_from_is_missing(self):
        layer, table = vectors_of(Feature(np.array([10, np.nan, 20], np.float32)))

        vectors = layer(tf.constant([np.nan, 15.0, 20.0]))

        np.testing.assert_allclose(vectors, [table[1], [0, 0], table[0]], rtol=1e-5, atol=1e-6)

    def test_the_missing_has_none_where_it_was_never_met(self):
        layer, table = vectors_of(Feature(np.array([10, 20], np.float32)))

        assert table.shape == (1, 2)
        np.testing.assert_array_equal(layer(tf.constant([np.nan])), [[0, 0]])

    @pytest.mark.parametrize("values", [[7, 7], [np.nan, np.nan], []])
    def test_what_says_nothing_is_finite(self, values):
        layer, _ = vectors_of(Feature(np.array(values, np.float32)))

        assert np.isfinite(layer(tf.constant([7.0, np.nan, 8.0]))).all()


@pytest.mark.parametrize("cells", [0, 2**22], ids=["row by row", "made once"])
class TestRowsOfTables:
    @pytest.mark.parametrize(
        "feature",
        [
            Feature(np.array([0, 2, 0, 1]), ("a", "b")),
            Feature(np.array([0, 20, 0, 100]), MANY),
            Feature(np.array([[0, 0], [50, 2], [9, 0], [0, 0]]), MANY),
            Feature(np.array([np.nan, 1, np.nan, 5], np.float32)),
        ],
        ids=["few", "many", "several", "number"],
    )
    def test_they_are_the_vectors_of_their_values(self, feature, cells, monkeypatch):
        monkeypatch.setattr(features, "_DENSE_CELLS", cells)
        layer = FeatureEmbedding("f", feature, 3, 0.5)
        ids = np.array([3, 1, 1, 0, 2])

        vectors = layer(tf.constant(ids))

        by_value = layer._vectors(tf.constant(feature.values[ids]))
        np.testing.assert_allclose(vectors, by_value, rtol=1e-5, atol=1e-7)
        assert (layer._weights is None) == (cells == 0)

    def test_the_unknown_is_not_learnt_from(self, cells, monkeypatch):
        monkeypatch.setattr(features, "_DENSE_CELLS", cells)
        layer = FeatureEmbedding("f", Feature(np.array([900, 1, 3], np.float32)), 1, 0.5)
        layer.table.assign([[1.0]])

        np.testing.assert_allclose(layer(tf.constant([1, 2])), [[-1], [1]], rtol=1e-5)


@pytest.mark.parametrize(
    "feature",
    [
        Feature(np.array([0, 1, 2], np.int32), ("a", "b")),
        Feature(np.array([[0, 0], [1, 2], [2, 0]], np.int32), ("a", "b")),
        Feature(np.array([0.0, 20.0, 40.0], np.float32)),
    ],
    ids=["code", "codes", "number"],
)
def test_a_value_can_be_left_out_of_a_frozen_layer_and_is_put_back(feature):
    layer = FeatureEmbedding("f", feature, 2, 0.5)
    ids = tf.constant([1, 2])
    before = layer(ids).numpy()
    with pytest.raises(ValueError, match="feature_f is not frozen"), layer.without(1):
        pass
    layer.freeze()

    with layer.without(1):
        left_out = layer(ids).numpy()

    np.testing.assert_allclose(left_out, [[0, 0], before[1]], rtol=1e-6)
    np.testing.assert_allclose(layer(ids), before, rtol=1e-6)
