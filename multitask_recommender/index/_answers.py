"""What indexes do with the candidates that they found: leave out, order, pad."""

import tensorflow as tf

from multitask_recommender.schema import NO_SCORE

NO_ITEM = 0  # also the padding of ids to leave out

# An approximate index asks for as many more as a query leaves out, and for no more than these: a
# longer list costs more than all that it is likely to take away.
MAX_EXTRA = 16_384

Answers = tuple[tf.Tensor, tf.Tensor]  # scores [B, N] float32, ids [B, N] int32


def num_excluded(excluded: tf.Tensor) -> tf.Tensor:
    """How many items a query leaves out [B, X] at the most: a scalar."""
    counts = tf.math.count_nonzero(excluded, axis=1, dtype=tf.int32)
    return tf.reduce_max(tf.concat([counts, [0]], axis=0))


def num_extra(excluded: tf.Tensor) -> tf.Tensor:
    """How many more an approximate index asks for, so that what is left out starves no query."""
    return tf.minimum(num_excluded(excluded), MAX_EXTRA)


def best_of(scores: tf.Tensor, ids: tf.Tensor, number: tf.Tensor, excluded: tf.Tensor) -> Answers:
    """The best `number` of candidates [B, M] that are not excluded; of equals, lower ids first.

    Candidates are distinct, but for NO_ITEM, and in any order.
    """
    scores = tf.where(ids == NO_ITEM, NO_SCORE, scores)
    # Once only as many are left as may be needed, the rest costs little.
    scores, ids = _first(scores, ids, number + num_excluded(excluded))
    scores = tf.where(_is_excluded(ids, excluded), NO_SCORE, scores)
    order = tf.argsort(ids, axis=1)  # top_k takes the first of equals
    scores, ids = (tf.gather(each, order, axis=1, batch_dims=1) for each in (scores, ids))
    return padded(*_first(scores, ids, number), number)


def _first(scores: tf.Tensor, ids: tf.Tensor, number: tf.Tensor) -> Answers:
    """The best of candidates [B, M]: `number`, or all."""
    scores, places = tf.math.top_k(scores, tf.minimum(number, tf.shape(ids)[1]))
    return scores, tf.gather(ids, places, axis=1, batch_dims=1)


def padded(scores: tf.Tensor, ids: tf.Tensor, number: tf.Tensor) -> Answers:
    """Ordered answers [B, M] made as wide as `number`, masked ones without an id."""
    ids = tf.where(scores > NO_SCORE, ids, NO_ITEM)
    missing = [[0, 0], [0, number - tf.shape(ids)[1]]]
    return tf.pad(scores, missing, constant_values=NO_SCORE), tf.pad(ids, missing)


def _is_excluded(ids: tf.Tensor, excluded: tf.Tensor) -> tf.Tensor:
    """Which ids [B, M] are among those of their row [B, X]; NO_ITEM always is."""
    none = tf.fill([tf.shape(ids)[0], 1], NO_ITEM)
    ordered = tf.sort(tf.concat([none, excluded], axis=1), axis=1)
    places = tf.searchsorted(ordered, ids, side="right") - 1
    return tf.gather(ordered, places, axis=1, batch_dims=1) == ids
