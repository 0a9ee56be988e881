"""Interactions as batches: a tf.data pipeline that is a pure function of (seed, epoch, step).

A place in the data is one integer, the step since the start of training. Row (or user) `i` of an
epoch is row `shuffle(i)` of the data, `shuffle` being a keyed permutation that needs no memory (a
block cipher, `tf.random.experimental.index_shuffle`), and a batch is gathered from whole columns at
once. So a pipeline that starts at step s yields what it would have yielded had it started at 0.
"""

import math
from typing import Literal

import numpy as np
import tensorflow as tf

from multitask_recommender import columns, shares
from multitask_recommender.histories import Recent, SharedWindows
from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import HISTORY, HISTORY_LENGTH, HISTORY_ROW, observed_key

Features = dict[str, tf.Tensor]
By = Literal["row", "user"] | int  # as `training.batch_by`

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
        self._inputs = {name: columns.tensor(array) for name, array in inputs.items()}
        self._labels = {name: columns.tensor(each) for name, each in interactions.labels.items()}
        self._masks = {name: columns.tensor(mask) for name, mask in interactions.observed.items()}
        self._windows = None
        if recent is not None:
            self._windows = recent.windows_in_graph()
            bounds = recent.bounds(interactions.user_ids, interactions.timestamps)
            self._starts, self._ends = (tf.constant(each, tf.int64) for each in bounds)

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
            features[HISTORY] = self._windows(
                tf.gather(self._starts, rows), tf.gather(self._ends, rows)
            )
        return features


class TrainingBatches:
    """Endless shuffled batches, each epoch in an order of its own.

    by: `user`: a batch holds whole users, about `batch_size` rows of them, so that what depends on
    the user alone (a softmax over the catalogue) is computed once for all of a user's rows. A
    number: so many rows of a user at the most, in their order, stay together.
    recent: for models that read it, what each row's user has met before: HISTORY [B, T].
    windows: instead of both, for models that read a history once for all its rows: a batch holds
    whole windows, about `batch_size` rows of them, as HISTORY [S, T], HISTORY_ROW and
    HISTORY_LENGTH [B]; rows of no window are left out.
    """

    def __init__(
        self,
        interactions: Interactions,
        batch_size: int,
        seed: int,
        by: By = "row",
        recent: Recent | None = None,
        windows: SharedWindows | None = None,
    ) -> None:
        self._columns = _Columns(interactions, recent)
        self._seed = tf.constant(seed, tf.int64)
        self._rows_of = self._shared = None
        self._num_units, self._batch_units = len(interactions), batch_size
        if windows is not None:
            self._group(windows.rows, windows.splits)
            self._shared = _Shared(windows, len(interactions))
        elif by != "row":
            self._group(*_of_users(interactions.user_ids, None if by == "user" else by))
        # The last batch of an epoch may be smaller.
        self.steps_per_epoch = math.ceil(self._num_units / self._batch_units)

    def dataset(self, start: int = 0) -> tf.data.Dataset:
        """Batches from step `start` on."""
        steps = tf.data.Dataset.range(start, np.iinfo(np.int64).max)
        batches = steps.map(self._batch, num_parallel_calls=2, deterministic=True)
        return _as_it_is(batches.prefetch(4))

    def dealt(self, start: int, dealt: range, number: int) -> tf.data.Dataset:
        """The shares `dealt` of those that each batch has, one after the other (shares.py)."""

        def shares_of(batch: Features) -> tf.data.Dataset:
            seed = {STEP_SEED: batch.pop(STEP_SEED)}
            own = tf.data.Dataset.range(dealt.start, dealt.stop)
            return own.map(lambda share: shares.take(batch, share, number) | seed)

        steps = tf.data.Dataset.range(start, np.iinfo(np.int64).max)
        batches = steps.map(self._batch, num_parallel_calls=2, deterministic=True)
        return _as_it_is(batches.flat_map(shares_of).prefetch(2 * len(dealt)))

    def batch(self, step: int) -> Features:
        """The batch of one step."""
        return self._batch(tf.constant(step, tf.int64))

    def _group(self, order: np.ndarray, splits: np.ndarray) -> None:
        """Rows `order` [N] come in units that never part: order[splits[u]:splits[u + 1]]."""
        self._num_units = len(splits) - 1
        self._batch_units = max(1, round(self._batch_units * self._num_units / len(order)))
        self._rows_of = tf.RaggedTensor.from_row_splits(order, splits, validate=False)

    def _batch(self, step: tf.Tensor) -> Features:
        epoch = step // self.steps_per_epoch
        place = step % self.steps_per_epoch * self._batch_units
        units = tf.range(place, tf.minimum(place + self._batch_units, self._num_units))
        # The cipher reads of a word half as many bits as a row's number has: 8, of up to 65,536
        # rows. So the first word counts on where the second begins anew, and seeds that are a
        # multiple of 256 apart shuffle such data alike.
        key = tf.stack([self._seed + epoch // 256, epoch])
        last = tf.constant(self._num_units - 1, tf.int64)
        units = rows = tf.random.experimental.index_shuffle(units, key, last)
        shared = {}
        if self._rows_of is not None:
            members = tf.gather(self._rows_of, units)
            rows = members.values
            if self._shared is not None:
                shared = self._shared(units, members)
        seed = tf.cast(tf.stack([self._seed, step]), tf.int32)
        return self._columns(rows) | shared | {STEP_SEED: seed}


def _of_users(users: np.ndarray, most: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Rows by user, and where the next user begins, or the next even part of at most so many."""
    order = np.argsort(users, kind="stable")
    _, starts, sizes = np.unique(users[order], return_index=True, return_counts=True)
    parts = np.ones_like(sizes) if most is None else -(-sizes // most)
    place = np.arange(parts.sum()) - np.repeat(np.cumsum(parts) - parts, parts)
    starts = np.repeat(starts, parts) + place * np.repeat(sizes, parts) // np.repeat(parts, parts)
    return order, np.append(starts, len(order))


class _Shared:
    """The histories of some windows, and how much of them each of their rows reads."""

    def __init__(self, windows: SharedWindows, num_rows: int) -> None:
        self._windows = windows.recent.windows_in_graph()
        self._starts = tf.constant(windows.starts, tf.int64)
        self._ends = tf.constant(windows.ends, tf.int64)
        lengths = np.zeros(num_rows, np.int32)
        lengths[windows.rows] = windows.lengths
        self._lengths = tf.constant(lengths)  # by row

    def __call__(self, units: tf.Tensor, members: tf.RaggedTensor) -> Features:
        """Of windows [S] and the rows in each of them."""
        return {
            HISTORY: self._windows(tf.gather(self._starts, units), tf.gather(self._ends, units)),
            HISTORY_ROW: tf.cast(members.value_rowids(), tf.int32),
            HISTORY_LENGTH: tf.gather(self._lengths, members.values),
        }


def ordered_batches(
    interactions: Interactions, batch_size: int, recent: Recent | None = None
) -> tf.data.Dataset:
    """Each row once, in order: for a loss over held-out rows."""
    columns_of = _Columns(interactions, recent)
    seed = tf.zeros([2], tf.int32)
    rows = tf.data.Dataset.range(len(interactions)).batch(batch_size)
    return _as_it_is(rows.map(lambda each: columns_of(each) | {STEP_SEED: seed}).prefetch(2))


def _as_it_is(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Not rewritten by tf.data, which copies all that a dataset reads into the graph that it makes
    of it: here the columns.
    """
    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False
    return dataset.with_options(options)
