"""Which queries a batch holds: rows of a user share one, unless each tells of its own past."""

import tensorflow as tf

from multitask_recommender.schema import HISTORY, HISTORY_ROW, TOLD_HISTORY, USER_ID


def distinct_queries(features: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
    """User ids [Q] of the distinct queries, and which of them each row has, [B]."""
    users = features[USER_ID]
    past = [features[name] for name in (HISTORY, TOLD_HISTORY) if name in features]
    if not past:
        return tf.unique(users)
    if HISTORY_ROW in features:
        rows = features[HISTORY_ROW]
        return tf.math.unsorted_segment_max(users, rows, tf.shape(past[0])[0]), rows
    # What a user has met before differs from row to row.
    return users, tf.range(tf.size(users))
