"""ScaNN: leaves of a tree are searched by quantised vectors, and the best of those scored exactly.

Guo et al., "Accelerating Large-Scale Inference with Anisotropic Vector Quantization", ICML 2020,
by the operations below `tfrs.layers.factorized_top_k.ScaNN`. A server needs them to run a saved
index: `import scann`, or its library loaded into the server.

Differs from that layer: `searched` and `reordered` belong to the search, not to what is built; what
building leaves in memory is let go of; and functions of a saved model may share one searcher.
ScaNN's training takes no seed from its operations: two indexes of the same vectors may differ.
"""

import copy
import uuid
from typing import Any, Self

import numpy as np
import tensorflow as tf
from scann import scann_ops

from multitask_recommender.index import _tables
from multitask_recommender.index._answers import Answers, best_of, num_extra
from multitask_recommender.index._index import BaseIndex
from multitask_recommender.index.settings.scann import Settings

_DIMENSIONS_PER_BLOCK = 2  # of a vector that are quantised as one, to 4 bits
_CENTRES = 16  # that the 4 bits name: no fewer vectors can be trained on
_TRAINING_ITERATIONS = 12


class Index(BaseIndex):
    """Item vectors, and what ScaNN makes of them, as variables.

    The vectors are not copied where they are as `columns.empty` makes arrays.
    """

    MIN_ITEMS = 1000  # below 16 it fails, and with few it is slower than brute force

    def __init__(self, settings: Settings, vectors: np.ndarray) -> None:
        super().__init__(settings.checked(len(vectors)))
        self._num_items = len(vectors)
        self._shared_name = ""  # every function has a searcher of its own
        self._vectors = _tables.variable(vectors, "vectors")
        self._state = _trained(settings, self._vectors.value(), reorders=False)
        # Training with a last step would hold the vectors twice more. It is a line of the config,
        # which is the same whatever it was trained on.
        few = self._vectors[: settings.leaves + _CENTRES]
        self._state.scann_config = _trained(settings, few, reorders=True).scann_config

    @staticmethod
    def vectors_of(saved: Any, number: int) -> np.ndarray:
        return saved._vectors.numpy()

    def rows(self) -> tf.Tensor:
        return self._vectors.value()

    def ids(self) -> np.ndarray:
        return np.arange(1, self._num_items + 1, dtype=np.int32)

    def shared(self) -> Self:
        index = copy.copy(self)
        index._shared_name = f"scann-{uuid.uuid4()}"
        return index

    def __call__(self, queries: tf.Tensor, number: tf.Tensor, excluded: tf.Tensor) -> Answers:
        if tf.executing_eagerly():
            # There, whichever searcher was made first would answer for every index.
            return tf.function(self.__call__, autograph=False)(queries, number, excluded)
        extra = num_extra(excluded)
        wanted = tf.minimum(number + extra, self._num_items)
        reordered = tf.minimum(tf.maximum(self.settings.reordered, number) + extra, self._num_items)
        # And so many leaves that a few of a quarter of the mean size hold what is wanted.
        least = -(-self._num_items // (4 * self.settings.leaves))
        leaves = tf.minimum(self.settings.searched + reordered // least, self.settings.leaves)
        indices, distances = scann_ops.scann_search_batched(
            self._searcher(), queries, wanted, reordered, leaves, True
        )
        shape = [tf.shape(queries)[0], -1]
        # ScaNN fills up what it did not find with row 0 at a distance that is no number.
        scores = tf.reshape(distances, shape)
        ids = tf.where(tf.math.is_nan(scores), 0, tf.reshape(indices, shape) + 1)
        return best_of(scores, ids, number, excluded)

    def _searcher(self) -> tf.Tensor:
        state = self._state
        return scann_ops.tensors_to_scann(
            self._vectors,
            state.scann_config,
            state.serialized_partitioner,
            state.datapoint_to_token,
            state.ah_codebook,
            state.hashed_dataset,
            state.int8_dataset,
            state.int8_multipliers,
            state.dp_norms,
            shared_name=self._shared_name,
        )


def _trained(settings: Settings, vectors: tf.Tensor, reorders: bool) -> scann_ops.ScannState:
    builder = scann_ops.builder(vectors, 1, "dot_product")
    builder.tree(settings.leaves, settings.searched, training_iterations=_TRAINING_ITERATIONS)
    builder.score_ah(_DIMENSIONS_PER_BLOCK)
    if reorders:
        builder.reorder(settings.reordered)
    searcher = scann_ops.create_searcher(vectors, builder.create_config())
    state = searcher.serialize_to_module()
    # It would live on under its name in TensorFlow's registry, as large as the index itself.
    tf.raw_ops.DestroyResourceOp(resource=searcher.searcher_handle)
    return state
