"""BPR: each positive against the negatives that were drawn for its row."""

import tensorflow as tf

from multitask_recommender.tasks._batch import Batch


def bpr_losses(batch: Batch, temperature: float, are_left_out: tf.Tensor | None) -> tf.Tensor:
    """Mean over a row's drawn negatives of -log sigmoid(positive - negative), [B].

    Left out are those that are the row's own item, and those of `are_left_out` [B, n]. Only the
    pairs that count are scored: a large batch has more users times items than pairs.
    """
    drawn = tf.searchsorted(batch.ids, tf.reshape(batch.drawn, [-1]))
    drawn = tf.reshape(drawn, tf.shape(batch.drawn))  # [B, n]
    queries = tf.gather(batch.queries, batch.query_rows) / temperature  # [B, D]
    own = tf.reduce_sum(queries * tf.gather(batch.candidates, batch.candidate_rows), axis=1)
    others = tf.einsum("bd,bnd->bn", queries, tf.gather(batch.candidates, drawn))
    counts = drawn != batch.candidate_rows[:, None]
    if are_left_out is not None:
        counts &= ~are_left_out
    weights = tf.cast(counts, tf.float32)
    losses = tf.nn.softplus(others - own[:, None]) * weights
    return tf.math.divide_no_nan(tf.reduce_sum(losses, 1), tf.reduce_sum(weights, 1))
