"""Where retrieval compares queries with items: as they are or as unit vectors, and item biases."""

import numpy as np
import tensorflow as tf

from multitask_recommender.layers.rows import take_rows


class RetrievalSpace(tf.keras.layers.Layer):
    """Vectors whose dot product is the score: <query, item> + temperature * bias of the item.

    The bias begins at the log of popularity. Retrieval divides scores by its temperature, so there
    it counts as the log of popularity itself: a softmax that begins with everybody's favourites.

    Args:
      counts: training events of each item, [I + 1].
      normalise: compare unit vectors, by the cosine of their angle.
      has_bias: whether items have one.
      temperature: of the retrieval task.
      trainable: whether biases learn; without a retrieval task, nothing reads them.
    """

    def __init__(
        self,
        counts: np.ndarray,
        normalise: bool,
        has_bias: bool,
        temperature: float,
        trainable: bool,
    ) -> None:
        super().__init__(name="retrieval_space")
        self._normalise = normalise
        self._temperature = temperature
        self._biases = None
        if has_bias:
            self._biases = self.add_weight(
                name="item_bias",
                shape=[len(counts)],
                initializer=tf.constant_initializer(_log_popularity(counts)),
                trainable=trainable,
            )

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
        return tf.math.l2_normalize(vectors, axis=1) if self._normalise else vectors


def _log_popularity(counts: np.ndarray) -> np.ndarray:
    """log(count + 1) of each item, centred, [I + 1]."""
    logs = np.log(counts + 1.0)
    return logs - logs[1:].mean()
