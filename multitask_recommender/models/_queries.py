"""Which queries a batch holds: rows of a user share one, unless each tells more of its user."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from multitask_recommender import shares
from multitask_recommender.histories import Recent
from multitask_recommender.layers.features import has_value
from multitask_recommender.schema import (
    HISTORY,
    HISTORY_LENGTH,
    HISTORY_ROW,
    PAD,
    TIMESTAMP,
    TOLD_FEATURE,
    TOLD_HISTORY,
    USER_ID,
)


def features_of(
    queries: Mapping[str, np.ndarray], recent: Recent | None, shares_histories: bool
) -> dict[str, tf.Tensor]:
    """Inputs of some rows as tensors, with what came before them by `recent`."""
    features = {name: tf.constant(queries[name]) for name in queries.keys() - {TIMESTAMP, HISTORY}}
    if shares_histories:
        told = recent.shared(queries)
        names = (HISTORY, HISTORY_ROW, HISTORY_LENGTH)
        features |= {name: tf.constant(array) for name, array in zip(names, told, strict=True)}
    elif recent is not None:
        features[HISTORY] = tf.constant(recent.before(queries))
    return features


def distinct_queries(features: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
    """User ids [Q] of the distinct queries, and which of them each row has, [B]."""
    users = features[USER_ID]
    told = [features[name] for name in sorted(features) if tells_of_users(name)]
    if not told:
        return tf.unique(users)
    if HISTORY_ROW in features:
        rows = features[HISTORY_ROW]
        return tf.math.unsorted_segment_max(users, rows, tf.shape(told[0])[0]), rows
    # What a user has met before differs from row to row.
    return users, tf.range(tf.size(users))


def lines_of(features: dict[str, tf.Tensor]) -> shares.Lines | None:
    """Which of the queries of a whole batch the distinct ones are, of a share."""
    if any(map(tells_of_users, features)):
        return shares.rows(features)
    return shares.distinct(features, lambda each: tf.unique(each[USER_ID]).idx)


def are_told_of(
    features: dict[str, tf.Tensor], is_met: tf.Tensor, reads_features: bool, reads_past: bool
) -> tf.Tensor:
    """Of which queries [Q] something is known that tells them from those of a stranger.

    is_met: of every user [U + 1], whether training tells of it what queries read; reads_features,
    reads_past: whether queries read features of users, and histories.
    """
    users = features[USER_ID]
    are_told = tf.gather(is_met, users)
    if reads_features:
        are_told |= users != PAD
    if HISTORY_LENGTH in features and reads_past:
        return are_told | (features[HISTORY_LENGTH] > 0)
    for name in filter(tells_of_users, features):
        if reads_features if name.startswith(TOLD_FEATURE) else reads_past:
            are_told |= has_value(features[name])
    return are_told


def tells_of_users(name: str) -> bool:
    """Whether a feature of a batch tells more of a user than who it is."""
    return name in (HISTORY, TOLD_HISTORY) or name.startswith(TOLD_FEATURE)
