import numpy as np
import pytest
import scipy.sparse
import tensorflow as tf

from multitask_recommender.layers.sparse_product import SymmetricProduct


@pytest.fixture
def matrix() -> scipy.sparse.csr_matrix:
    """Symmetric, with a node that has no neighbour, and columns out of order."""
    half = scipy.sparse.random(7, 7, 0.4, random_state=3, dtype=np.float32).tolil()
    half[:, 4] = half[4, :] = 0
    whole = (half + half.T).tocsr()
    whole.has_sorted_indices = False
    return whole


def test_it_is_the_product_of_scipy(matrix):
    dense = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)

    product = SymmetricProduct(matrix)(tf.constant(dense))

    np.testing.assert_allclose(product, matrix @ dense, rtol=1e-6)
    np.testing.assert_array_equal(product[4], np.zeros(3))


def test_its_gradient_is_that_of_a_dense_product(matrix):
    dense = tf.Variable(np.random.default_rng(1).normal(size=(7, 2)).astype(np.float32))
    weights = tf.constant(np.random.default_rng(2).normal(size=(7, 2)).astype(np.float32))
    multiply = SymmetricProduct(matrix)

    def gradient(product):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(weights * tf.square(product(dense)))
        return tape.gradient(loss, dense)

    expected = gradient(lambda dense: tf.constant(matrix.toarray()) @ dense)
    np.testing.assert_allclose(gradient(multiply), expected, rtol=1e-5)


def test_it_works_in_a_function_and_knows_its_shape(matrix):
    multiply = SymmetricProduct(matrix)

    @tf.function
    def twice(dense):
        product = multiply(multiply(dense))
        assert product.shape == (7, 2)
        return product

    ones = np.ones([7, 2], np.float32)
    np.testing.assert_allclose(twice(tf.constant(ones)), matrix @ (matrix @ ones), rtol=1e-6)


def test_it_can_be_made_inside_a_function(matrix):
    made = []

    @tf.function
    def product(dense):
        if not made:
            made.append(SymmetricProduct(matrix))
        return made[0](dense)

    ones = tf.ones([7, 2])
    np.testing.assert_allclose(product(ones), matrix @ np.ones([7, 2], np.float32), rtol=1e-6)
