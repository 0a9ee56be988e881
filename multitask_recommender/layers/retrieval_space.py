"""Where retrieval compares queries with items: as they are or as unit vectors, and item biases."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from multitask_recommender.layers.item_table import MEAN, ItemTable
from multitask_recommender.layers.rows import keyed, take_rows


class RetrievalSpace(tf.keras.layers.Layer):
    """Vectors whose dot product is the score: <query, item> + temperature * bias of the item.

    Retrieval divides scores by its temperature, so there a bias counts as it is. From the log of
    popularity, a softmax begins with everybody's favourites.

    Args:
      biases: where those of items begin, [I + 1]; None, for items without.
      normalise: compare unit vectors, by the cosine of their angle.
      retrieval: the task that reads all this; without one, biases do not learn.
      vocabulary: the raw ids of the items that biases are of, [I].
    """

    def __init__(
        self,
        biases: np.ndarray | None,
        normalise: bool,
        retrieval: Any = None,
        vocabulary: Sequence = (),
    ) -> None:
        super().__init__(name="retrieval_space")
        self._normalise = normalise
        self._temperature = 1.0 if retrieval is None else retrieval.temperature
        self._biases = None
        if biases is not None:
            self._biases = self.add_weight(
                name="item_bias",
                shape=[len(biases)],
                initializer=tf.constant_initializer(biases),
                trainable=retrieval is not None,
            )
            keyed(self._biases, vocabulary)

    def freeze(self) -> None:
        """Leaves open how many items there are: for scoring alone."""
        if self._biases is not None:
            self._item_table = ItemTable(self._biases, MEAN)
            self._biases = self._item_table.rows

    @property
    def bias_coordinates(self) -> int:
        return 0 if self._biases is None else 1

    def queries(self, vectors: tf.Tensor) -> tf.Tensor:
        """Vectors [Q, D] with a 1 where items have their bias, [Q, D + 1]."""
        vectors = self._normalised(vectors)
        if self._biases is None:
            return vectors
        return tf.pad(vectors, [[0, 0], [0, 1]], constant_values=1.0)

    def items(self, vectors: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
        """Vectors [C, D] of items `ids` [C], with their bias as one more coordinate, [C, D + 1]."""
        vectors = self._normalised(vectors)
        if self._biases is None:
            return vectors
        biases = self._temperature * take_rows(self._biases, ids)
        return tf.concat([vectors, biases[:, None]], axis=1)

    def _normalised(self, vectors: tf.Tensor) -> tf.Tensor:
        if not self._normalise:
            return vectors
        # A state that has read nothing may be 0, where the default would give a slope of 1e6.
        return tf.math.l2_normalize(vectors, axis=1, epsilon=1e-6)


def log_popularity(counts: np.ndarray) -> np.ndarray:
    """log(count + 1) of each item, centred, [I + 1]."""
    logs = np.log(counts + 1.0)
    return logs - logs[1:].mean()
