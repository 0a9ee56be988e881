"""Weight decay of embedding rows, paid where rows are used, so that untouched rows cost nothing."""

import numpy as np
import tensorflow as tf

from multitask_recommender.layers.rows import lookup


class WeightDecay:
    """l2 times the mean, over the rows of a batch, of |vector|^2 * count^(power - 1).

    Over an epoch each vector is charged l2 / N * count^power * |vector|^2, count being its
    training events and N all of them: power 0 is plain L2 of a table, power 1 charges every event
    alike, one half lies between (Zhou et al., "Large-Scale Parallel Collaborative Filtering for the
    Netflix Prize", AAIM 2008, section 3.2, weigh by count as well).
    """

    def __init__(self, counts: np.ndarray, power: float) -> None:
        self._factors = tf.constant(np.maximum(counts, 1.0) ** (power - 1.0), tf.float32)

    def __call__(
        self, table: tf.Tensor, ids: tf.Tensor, projection: tf.Tensor | None = None
    ) -> tf.Tensor:
        """table [R + 1, D], ids [B] of a batch's events -> scalar.

        With a projection [D, E] it is the projected vectors that are charged.
        """
        distinct, places = tf.unique(ids)
        occurrences = tf.math.bincount(places, minlength=tf.size(distinct), dtype=tf.float32)
        vectors = lookup(table, distinct)
        if projection is not None:
            vectors = tf.matmul(vectors, projection)
        charged = tf.reduce_sum(tf.square(vectors), axis=1) * occurrences
        charged *= tf.gather(self._factors, distinct)
        return tf.math.divide_no_nan(tf.reduce_sum(charged), tf.cast(tf.size(ids), tf.float32))
