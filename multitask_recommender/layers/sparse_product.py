"""A constant sparse matrix times dense vectors, by TensorFlow's CSR kernel.

On the graph of Gowalla (1.6M non-zeros, 64 coordinates) it takes as long as moving the bytes does,
and a tenth or less of `tf.sparse.sparse_dense_matmul` (benchmarks/propagation.py).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

# Private: a bare CSR variant that `tf.raw_ops` makes cannot be captured by a tf.function, as it
# lacks what this class attaches.
from tensorflow.python.ops.linalg.sparse.sparse_csr_matrix_ops import CSRSparseMatrix

from multitask_recommender.layers.own_gradient import own_gradient

if TYPE_CHECKING:
    import scipy.sparse


class SymmetricProduct:
    """matrix @ dense, for a symmetric matrix: its gradient is the same product."""

    def __init__(self, matrix: "scipy.sparse.csr_matrix") -> None:
        entries = matrix.tocsr().sorted_indices().tocoo()
        cells = np.stack([entries.row, entries.col], axis=1).astype(np.int64)
        with tf.init_scope():  # also where it is made while a function is traced
            sparse = tf.SparseTensor(cells, entries.data.astype(np.float32), matrix.shape)
            self._matrix = CSRSparseMatrix(sparse)._matrix

    def __call__(self, dense: tf.Tensor) -> tf.Tensor:
        """dense [n, D] -> [n, D]."""

        @own_gradient
        def product(dense: tf.Tensor) -> tuple[tf.Tensor, Callable]:
            return self._multiply(dense), self._multiply

        return product(tf.convert_to_tensor(dense))

    def _multiply(self, dense: tf.Tensor) -> tf.Tensor:
        result = tf.raw_ops.SparseMatrixMatMul(a=self._matrix, b=dense)
        return tf.ensure_shape(result, dense.shape)  # the kernel does not say it
