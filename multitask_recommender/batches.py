"""Interactions as batches: a tf.data pipeline that is a pure function of (seed, epoch, step).

A place in the data is one integer, the step since the start of training. Row (or user) `i` of an
epoch is row `shuffle(i)` of the data, `shuffle` being a keyed permutation that needs no memory (a
block cipher, `tf.random.experimental.index_shuffle`), and a batch is gathered from whole columns at
once. So a pipeline that starts at step s yields what it would have yielded had it started at 0.
"""

import math

import numpy as np
import tensorflow as tf

from multitask_recommender.histories import Recent
from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import HISTORY, USER_ID, observed_key

Features = dict[str, tf.Tensor]

NO_SEED = (0, 0)  # where nothing is drawn: outside training
STEP_SEED = "step_seed"  # int32 [2]: the batch's own randomness, for dropout and negatives


class _Columns:
    """What batches hold of any rows: inputs, labels (0 if unobserved) and masks, [n] each.

    Gathered by TensorFlow alone: a Python function in the pipeline would be slower, and could keep
    a program from ending, as a thread that reads ahead waits for an interpreter that waits for the
    thread. Labels stay as small as they are (a byte for 0 and 1), and what is observed everywhere
    needs no mask. Timestamps are told by HISTORY, to models that ask for one.
    """

    def __init__(self, interactions: Interactions, recent: Recent | None) -> None:
        inputs = interactions.inputs(slice(None), with_timestamps=False)
        self._inputs = {name: tf.constant(array) for name, array in inputs.items()}
        self._labels = {name: tf.constant(array) for name, array in interactions.labels.items()}
        self._masks = {name: tf.constant(mask) for name, mask in interactions.observed.items()}
        self._windows = None
        if recent is not None:
            self._windows = recent.windows_in_graph()
            ends = recent.ends(interactions.user_ids, interactions.timestamps)
            self._ends = tf.constant(ends, tf.int64)

    def __call__(self, rows: tf.Tensor) -> Features:
        features = {name: tf.gather(column, rows) for name, column in self._inputs.items()}
        for label, values in self._labels.items():
            values = tf.cast(tf.gather(values, rows), tf.float32)
            mask = tf.ones_like(values)
            if label in self._masks:
                mask = tf.cast(tf.gather(self._masks[label], rows), tf.float32)
                values = tf.where(mask > 0, values, 0.0)  # an unobserved one may be NaN
            features |= {label: values, observed_key(label): mask}
        if self._windows is not None:
            ends = tf.gather(self._ends, rows)
            features[HISTORY] = self._windows(features[USER_ID], ends)
        return features


class TrainingBatches:
    """Endless shuffled batches, each epoch in an order of its own.

    by_user: a batch holds whole users, about `batch_size` rows of them, so that what depends on
    the user alone (a softmax over the catalogue) is computed once for all of a user's rows.
    recent: for models that read it, what each row's user has met before: HISTORY [B, T].
    """

    def __init__(
        self,
        interactions: Interactions,
        batch_size: int,
        seed: int,
        by_user: bool = False,
        recent: Recent | None = None,
    ) -> None:
        self._columns = _Columns(interactions, recent)
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
        steps = tf.data.Dataset.range(start, np.iinfo(np.int64).max)
        return steps.map(self._batch, num_parallel_calls=2, deterministic=True).prefetch(4)

    def batch(self, step: int) -> Features:
        """The batch of one step."""
        return self._batch(tf.constant(step, tf.int64))

    def _batch(self, step: tf.Tensor) -> Features:
        epoch = step // self.steps_per_epoch
        place = step % self.steps_per_epoch * self._batch_units
        units = tf.range(place, tf.minimum(place + self._batch_units, self._num_units))
        # The cipher reads of a word half as many bits as a row's number has: 8, of up to 65,536
        # rows. So the first word counts on where the second begins anew, and seeds that are a
        # multiple of 256 apart shuffle such data alike.
        key = tf.stack([self._seed + epoch // 256, epoch])
        last = tf.constant(self._num_units - 1, tf.int64)
        rows = tf.random.experimental.index_shuffle(units, key, last)
        if self._rows_of is not None:
            rows = tf.gather(self._rows_of, rows).values
        return self._columns(rows) | {STEP_SEED: tf.cast(tf.stack([self._seed, step]), tf.int32)}


def ordered_batches(
    interactions: Interactions, batch_size: int, recent: Recent | None = None
) -> tf.data.Dataset:
    """Each row once, in order: for a loss over held-out rows."""
    columns_of = _Columns(interactions, recent)
    seed = tf.zeros([2], tf.int32)
    rows = tf.data.Dataset.range(len(interactions)).batch(batch_size)
    return rows.map(lambda each: columns_of(each) | {STEP_SEED: seed}).prefetch(2)
