"""A softmax cross-entropy in two parts, over scores that many rows share.

Differs from TensorFlow's own: rows name their query and their positive by cells of one matrix of
scores, negatives may count more than once or not at all, and the exponentials are kept for the
gradient, where TensorFlow computes them twice.
"""

from collections.abc import Callable

import tensorflow as tf

from multitask_recommender.layers.own_gradient import own_gradient

EXCLUDED = -1e30  # a logit whose exponential is 0; finite, so that no gradient is NaN


def softmax_parts(
    scores: tf.Tensor,
    offsets: tf.Tensor,
    cells: tf.Tensor | None,
    left_out: tf.Tensor | None = None,
    again: tuple[tf.Tensor, tf.Tensor] | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The two parts of a softmax cross-entropy, over scores [Q, C] and offsets [C] of columns.

    The log of the sum of exponentials of scores + offsets in each row, [Q], in which cells [M, 2]
    of `left_out` do not count (a row without cells gives a very negative number); and the scores
    of `cells` [B, 2] without offsets, [B], or [0] where there are none. `again` are cells [M, 2]
    that have offsets of their own [M] instead of their columns'. Gradients are those of the scores
    alone.
    """

    @own_gradient
    def parts(scores: tf.Tensor) -> tuple[tuple[tf.Tensor, tf.Tensor], Callable]:
        logits = scores + offsets
        if again is not None:
            own = tf.gather_nd(scores, again[0]) + again[1]
            logits = tf.tensor_scatter_nd_update(logits, again[0], own)
        if left_out is not None:
            # Before the maximum is taken: far below such a cell, the rest would vanish.
            logits = excluding(logits, left_out)
        top = tf.reduce_max(logits, axis=1, keepdims=True)
        top = tf.where(top > 0.5 * EXCLUDED, top, 0.0)  # where nothing is left, exps are all 0
        exps = tf.exp(logits - top)
        totals = tf.reduce_sum(exps, axis=1, keepdims=True)  # [Q, 1]

        def gradient(of_totals: tf.Tensor, of_cells: tf.Tensor) -> tf.Tensor:
            # The exponentials are kept, where TensorFlow's own logsumexp computes them twice.
            of_totals = tf.convert_to_tensor(of_totals)[:, None]  # may be IndexedSlices
            softmax = exps * tf.math.divide_no_nan(of_totals, totals)
            if cells is None:
                return softmax
            return _with_added(softmax, cells, tf.convert_to_tensor(of_cells))

        log_totals = tf.squeeze(log_or_excluded(totals) + top, axis=1)
        own = tf.zeros([0]) if cells is None else tf.gather_nd(scores, cells)
        return (log_totals, own), gradient

    return parts(scores)


def excluding(logits: tf.Tensor, cells: tf.Tensor) -> tf.Tensor:
    """logits [Q, C] without cells [M, 2]."""
    return _with_added(logits, cells, tf.fill(tf.shape(cells)[:1], EXCLUDED))


def _with_added(matrix: tf.Tensor, cells: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """matrix [Q, C] with values [M] added at cells [M, 2]: in its memory, unless others read it.

    On a CPU, `tf.tensor_scatter_nd_add` copies the matrix in any case.
    """
    return tf.raw_ops.ScatterNdNonAliasingAdd(input=matrix, indices=cells, updates=values)


def are_among(cells: tf.Tensor, others: tf.Tensor, num_columns: tf.Tensor) -> tf.Tensor:
    """Which of the cells [B, 2] are among others [M, 2], which ascend."""
    scale = tf.stack([tf.cast(num_columns, tf.int64), 1])
    keys, known = (tf.reduce_sum(tf.cast(x, tf.int64) * scale, axis=1) for x in (cells, others))
    places = tf.searchsorted(known, keys, side="right") - tf.searchsorted(known, keys)
    return places > 0


def log_or_excluded(values: tf.Tensor) -> tf.Tensor:
    """log(values), and a very negative number where a value is 0."""
    return tf.where(values > 0, tf.math.log(tf.maximum(values, 1e-37)), EXCLUDED)
