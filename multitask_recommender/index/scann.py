"""ScaNN: leaves of a tree are searched by quantised vectors, and the best of those scored exactly.

Guo et al., "Accelerating Large-Scale Inference with Anisotropic Vector Quantization", ICML 2020,
by the operations below `tfrs.layers.factorized_top_k.ScaNN`. A server needs them to run a saved
index: `import scann`, or its library loaded into the server.

Differs from that layer: `searched` and `reordered` belong to the search, not to what is built; and
it is here, from the vectors, that the last step scores exactly, so that they are not kept twice.
"""

import numpy as np
import tensorflow as tf
from scann import scann_ops

from multitask_recommender.index import _tables
from multitask_recommender.index._answers import Answers, best_of, exact_scores, num_extra
from multitask_recommender.index._index import BaseIndex
from multitask_recommender.index.settings.scann import Settings

_DIMENSIONS_PER_BLOCK = 2  # as everybody has it: 4 bits for two dimensions
_TRAINING_ITERATIONS = 12


class Index(BaseIndex):
    """Item vectors [I, D], and ScaNN's data as variables."""

    MIN_ITEMS = 1000  # below 16 it fails, and with few it is slower than brute force

    def __init__(self, settings: Settings, vectors: np.ndarray) -> None:
        super().__init__(settings.checked(len(vectors)))
        table = _tables.zeros(vectors.shape)
        table[:] = vectors
        self._vectors = _tables.variable(table, "vectors")
        builder = scann_ops.builder(self._vectors.value(), 1, "dot_product")
        builder.tree(
            settings.leaves, settings.searched, training_iterations=_TRAINING_ITERATIONS
        ).score_ah(_DIMENSIONS_PER_BLOCK)
        self._state = builder.build().serialize_to_module()

    def __call__(self, queries: tf.Tensor, number: tf.Tensor, excluded: tf.Tensor) -> Answers:
        num_items = self._vectors.shape[0]
        extra = num_extra(excluded)
        wanted = tf.minimum(tf.maximum(number, self.settings.reordered) + extra, num_items)
        # Leaves enough to hold so many, were they half empty.
        leaves = self.settings.searched + wanted // -(-num_items // (2 * self.settings.leaves))
        found = scann_ops.searcher_from_module(self._state).search_batched_parallel(
            queries, wanted, wanted, tf.minimum(leaves, self.settings.leaves)
        )
        rows = tf.reshape(found.indices, [tf.shape(queries)[0], -1])
        scores = exact_scores(self._vectors, queries, rows)
        # ScaNN fills up what it did not find with row 0 at a distance that is no number.
        ids = tf.where(tf.math.is_nan(tf.reshape(found.distances, tf.shape(rows))), 0, rows + 1)
        return best_of(scores, ids, number, excluded)
