"""Interactions as batches: a tf.data pipeline that is a pure function of (seed, epoch, step).

A place in the data is one integer, the step since the start of training. Row (or user) `i` of an
epoch is row `shuffle(i)` of the data, `shuffle` being a keyed permutation that needs no memory (a
block cipher, `tf.random.experimental.index_shuffle`), and a batch is gathered from whole columns at
once. So a pipeline that starts at step s yields what it would have yielded had it started at 0.
"""

import math

import numpy as np
import tensorflow as tf

from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import ITEM_ID, USER_ID, observed_key

Features = dict[str, tf.Tensor]

NO_SEED = (0, 0)  # where nothing is drawn: outside training
STEP_SEED = "step_seed"  # int32 [2]: the batch's own randomness, for dropout and negatives


def columns(interactions: Interactions) -> dict[str, np.ndarray]:
    """What batches hold, [N] each: ids within the vocabulary, labels (0 if unobserved), masks."""
    arrays = {
        USER_ID: interactions.users.known(interactions.user_ids).astype(np.int32),
        ITEM_ID: interactions.items.known(interactions.item_ids).astype(np.int32),
    }
    for label, values in interactions.labels.items():
        mask = interactions.is_observed(label)
        arrays[label] = np.where(mask, values, 0).astype(np.float32)
        arrays[observed_key(label)] = mask.astype(np.float32)
    return arrays


class TrainingBatches:
    """Endless shuffled batches, each epoch in an order of its own.

    by_user: a batch holds whole users, about `batch_size` rows of them, so that what depends on
    the user alone (a softmax over the catalogue) is computed once for all of a user's rows.
    """

    def __init__(
        self, interactions: Interactions, batch_size: int, seed: int, by_user: bool = False
    ) -> None:
        self._data = {name: tf.constant(array) for name, array in columns(interactions).items()}
        self._seed = tf.constant(seed, tf.int64)
        self._rows_of = None
        self._num_units, self._batch_units = len(interactions), batch_size
        if by_user:
            order = np.argsort(interactions.user_ids, kind="stable")
            _, starts = np.unique(interactions.user_ids[order], return_index=True)
            splits = np.append(starts, len(order))
            self._rows_of = tf.RaggedTensor.from_row_splits(order, splits, validate=False)
            self._num_units = len(starts)
            self._batch_units = max(1, round(batch_size * len(starts) / len(order)))
        # The last batch of an epoch may be smaller; no row is left out.
        self.steps_per_epoch = math.ceil(self._num_units / self._batch_units)

    def dataset(self, start: int = 0) -> tf.data.Dataset:
        """Batches from step `start` on."""
        return tf.data.Dataset.range(start, np.iinfo(np.int64).max).map(self._batch).prefetch(4)

    def batch(self, step: int) -> Features:
        """The batch of one step."""
        return self._batch(tf.constant(step, tf.int64))

    def _batch(self, step: tf.Tensor) -> Features:
        epoch = step // self.steps_per_epoch
        place = step % self.steps_per_epoch * self._batch_units
        units = tf.range(place, tf.minimum(place + self._batch_units, self._num_units))
        key = tf.stack([self._seed, epoch])
        last = tf.constant(self._num_units - 1, tf.int64)
        rows = tf.random.experimental.index_shuffle(units, key, last)
        if self._rows_of is not None:
            rows = tf.gather(self._rows_of, rows).values
        features = {name: tf.gather(column, rows) for name, column in self._data.items()}
        return features | {STEP_SEED: tf.cast(tf.stack([self._seed, step]), tf.int32)}


def ordered_batches(interactions: Interactions, batch_size: int) -> tf.data.Dataset:
    """Each row once, in order: for a loss over held-out rows."""
    dataset = tf.data.Dataset.from_tensor_slices(columns(interactions)).batch(batch_size)
    seed = tf.zeros([2], tf.int32)
    return dataset.map(lambda features: features | {STEP_SEED: seed}).prefetch(2)
