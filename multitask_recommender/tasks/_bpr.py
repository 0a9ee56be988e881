"""Pairwise losses: a positive against negatives of its row (BPR), or of all rows (BPR-max)."""

import tensorflow as tf

from multitask_recommender.layers.softmax import EXCLUDED
from multitask_recommender.tasks._batch import Batch


def bpr_losses(batch: Batch, temperature: float, are_left_out: tf.Tensor | None) -> tf.Tensor:
    """Mean over a row's drawn negatives of -log sigmoid(positive - negative), [B].

    Left out are those that are the row's own item, and those of `are_left_out` [B, n]. Only the
    pairs that count are scored: a large batch has more users times items than pairs.
    """
    drawn = tf.searchsorted(batch.ids, tf.reshape(batch.drawn, [-1]))
    drawn = tf.reshape(drawn, tf.shape(batch.drawn))  # [B, n]
    queries = tf.gather(batch.queries, batch.query_rows) / temperature  # [B, D]
    others = tf.einsum("bd,bnd->bn", queries, tf.gather(batch.candidates, drawn))
    counts = drawn != batch.candidate_rows[:, None]
    if are_left_out is not None:
        counts &= ~are_left_out
    return _mean_losses(_own_scores(batch, temperature), others, counts)


def hard_bpr_losses(
    batch: Batch, temperature: float, logits: tf.Tensor, number: int, seed: tf.Tensor
) -> tf.Tensor:
    """The same against negatives that a query's rows share, drawn by their logits [Q, C], [B].

    Of each query `number` are drawn, with replacement; those that are EXCLUDED do not count. No
    gradient goes through the drawing.
    """
    drawn = tf.random.stateless_categorical(logits, number, seed, tf.int32)  # [Q, n]
    are_drawable = tf.gather(logits, drawn, batch_dims=1) > 0.5 * EXCLUDED  # [Q, n]
    others = tf.einsum("qd,qnd->qn", batch.queries, tf.gather(batch.candidates, drawn))
    rows = batch.query_rows
    counts = tf.gather(drawn, rows) != batch.candidate_rows[:, None]
    counts &= tf.gather(are_drawable, rows)
    return _mean_losses(
        _own_scores(batch, temperature), tf.gather(others / temperature, rows), counts
    )


def _own_scores(batch: Batch, temperature: float) -> tf.Tensor:
    """Of each row's query and item, [B]."""
    queries = tf.gather(batch.queries, batch.query_rows) / temperature  # [B, D]
    return tf.reduce_sum(queries * tf.gather(batch.candidates, batch.candidate_rows), axis=1)


def _mean_losses(own: tf.Tensor, others: tf.Tensor, counts: tf.Tensor) -> tf.Tensor:
    """-log sigmoid(own [B] - others [B, n]), averaged over those that count, [B]."""
    weights = tf.cast(counts, tf.float32)
    losses = tf.nn.softplus(others - own[:, None]) * weights
    return tf.math.divide_no_nan(tf.reduce_sum(losses, 1), tf.reduce_sum(weights, 1))


def bpr_max_losses(
    batch: Batch, scores: tf.Tensor, offsets: tf.Tensor, score_l2: float
) -> tf.Tensor:
    """-log of the mean sigmoid(positive - negative), plus score_l2 times the mean negative^2, [B].

    Means over the negatives by their softmax: those that score high count most. Of scores [Q, C],
    offsets [Q, C] are the logs of how often each is a negative; a row's own item is none.
    Hidasi and Karatzoglou, "Recurrent Neural Networks with Top-k Gains for Session-based
    Recommendations", CIKM 2018, section 3.2.
    """
    own = tf.gather_nd(scores, batch.cells)[:, None]  # [B, 1]
    scores = tf.gather(scores, batch.query_rows)  # [B, C]
    rows = tf.range(tf.size(batch.candidate_rows))
    cells = tf.stack([rows, batch.candidate_rows], axis=1)
    logits = tf.tensor_scatter_nd_update(
        scores + tf.gather(offsets, batch.query_rows), cells, tf.fill(tf.shape(rows), EXCLUDED)
    )
    shares = tf.nn.log_softmax(logits)
    losses = -tf.reduce_logsumexp(shares + tf.math.log_sigmoid(own - scores), axis=1)
    if not score_l2:
        return losses
    # What is no negative may have any score: 0 times it must be 0.
    squares = tf.square(tf.where(logits > 0.5 * EXCLUDED, scores, 0.0))
    return losses + score_l2 * tf.reduce_sum(tf.exp(shares) * squares, axis=1)
