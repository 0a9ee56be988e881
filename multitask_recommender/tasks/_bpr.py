"""Pairwise losses: a positive against negatives of its row (BPR), or of all rows (BPR-max)."""

import tensorflow as tf

from multitask_recommender.layers.softmax import EXCLUDED
from multitask_recommender.tasks._batch import Batch


def bpr_losses(batch: Batch, slope: float, are_left_out: tf.Tensor | None) -> tf.Tensor:
    """Mean over a row's drawn negatives of -log sigmoid(slope * (positive - negative)), [B].

    Left out are those that are the row's own item, and those of `are_left_out` [B, n]. Only the
    pairs that count are scored: a large batch has more users times items than pairs.
    """
    drawn = tf.searchsorted(batch.ids, tf.reshape(batch.drawn, [-1]))
    drawn = tf.reshape(drawn, tf.shape(batch.drawn))  # [B, n]
    queries = tf.gather(batch.queries, batch.query_rows)  # [B, D]
    others = tf.einsum("bd,bnd->bn", queries, tf.gather(batch.candidates, drawn))
    counts = drawn != batch.candidate_rows[:, None]
    if are_left_out is not None:
        counts &= ~are_left_out
    return _mean_losses(batch.own_products, others, counts, slope)


def hard_bpr_losses(
    batch: Batch, slope: float, drawn: tf.Tensor, are_drawable: tf.Tensor
) -> tf.Tensor:
    """The same against negatives that a query's rows share, [B].

    drawn [Q, n] are places of candidates; `are_drawable` [Q, n] says which of them count.
    """
    others = tf.einsum("qd,qnd->qn", batch.queries, tf.gather(batch.candidates, drawn))
    rows = batch.query_rows
    counts = tf.gather(drawn, rows) != batch.candidate_rows[:, None]
    counts &= tf.gather(are_drawable, rows)
    others = tf.gather(others, rows)  # [B, n]
    return _mean_losses(batch.own_products, others, counts, slope)


def _mean_losses(own: tf.Tensor, others: tf.Tensor, counts: tf.Tensor, slope: float) -> tf.Tensor:
    """-log sigmoid(slope * (own [B] - others [B, n])), averaged over those that count, [B]."""
    weights = tf.cast(counts, tf.float32)
    losses = tf.nn.softplus(slope * (others - own[:, None])) * weights
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
