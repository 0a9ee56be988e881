"""A history as a vector: the members met in training, summed over the root of their number.

Koren, "Factorization Meets the Neighborhood", KDD 2008, section 4 (SVD++: |N(u)|^-1/2 sum y_j).
"""

import numpy as np
import tensorflow as tf

from multitask_recommender.histories import Rows
from multitask_recommender.layers import draws
from multitask_recommender.layers.draws import AnySeed
from multitask_recommender.layers.features import Stddev
from multitask_recommender.layers.initial import Normal
from multitask_recommender.layers.item_table import MEAN, NOTHING, ItemTable
from multitask_recommender.layers.precision import product
from multitask_recommender.layers.rows import lookup, sum_rows, take_rows
from multitask_recommender.schema import PAD

_DENSE_CELLS = 2**22  # a matrix of 16 MiB: below, one matrix product beats gathering rows
_ROWS_AT_ONCE = 2**14  # of ids whose sums are frozen


class History(tf.keras.layers.Layer):
    """For ids [n]: sum over their members m of table[m] / sqrt(number of members), [n, D].

    Args:
      met: the members of each id.
      num_members: members are 1..num_members.
      dimension, stddev: of the table, and of its initial values.
      positives: those of them that some views read instead, from the same table.
      of_items: whether ids are items', and members users; else it is the other way round.
    """

    def __init__(
        self,
        met: Rows,
        num_members: int,
        dimension: int,
        stddev: Stddev,
        positives: Rows | None = None,
        of_items: bool = False,
    ) -> None:
        super().__init__(name="history")
        self._of_items = of_items
        self.table = self.add_weight(
            name="table",
            shape=[num_members + 1, dimension],
            initializer=Normal(stddev=stddev),
        )
        self._met = _Members(met, num_members)
        self._positives = None if positives is None else _Members(positives, num_members)

    def call(
        self,
        ids: tf.Tensor,
        dropout: float,
        seed: AnySeed,
        of_positives: bool = False,
        told: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Each member is left out with probability `dropout`, the others scaled up to match.

        told: members [n, M], 0-padded, that count instead where a row has any.
        """
        members = self._positives if of_positives else self._met
        sums = members.sums(self.table, ids, dropout, seed)
        if told is None:
            return sums
        is_told = tf.reduce_any(told != PAD, axis=1, keepdims=True)
        return tf.where(is_told, sum_distinct(self.table, told), sums)

    def freeze(self) -> None:
        """Keeps the sums of all ids in place of who met whom: for scoring alone."""
        members = [each for each in (self._met, self._positives) if each is not None]
        for each in members:
            each.freeze(self.table)
        if self._of_items:
            self._item_tables = [each.opened() for each in members]
        else:
            self._item_tables = [ItemTable(self.table, MEAN)]
            self.table = self._item_tables[0].rows


def sum_distinct(table: tf.Tensor | tf.Variable, members: tf.Tensor) -> tf.Tensor:
    """The sum of table rows [R, D] over the distinct members [n, M] of each line, 0 being none,
    divided by the root of their number, [n, D].
    """
    members = tf.sort(members, axis=1)
    is_new = members != tf.pad(members, [[0, 0], [1, 0]])[:, :-1]  # ascending, the padding first
    lines = tf.where(is_new)
    sums = tf.math.unsorted_segment_sum(
        lookup(table, tf.boolean_mask(members, is_new)), lines[:, 0], tf.shape(members)[0]
    )
    numbers = tf.math.count_nonzero(is_new, axis=1, keepdims=True, dtype=tf.float32)
    return sums / tf.sqrt(tf.maximum(numbers, 1.0))


class _Members:
    """Who is in the history of each id, laid out to be summed."""

    def __init__(self, histories: Rows, num_members: int) -> None:
        splits, members = histories
        lengths = np.diff(splits)
        scale = 1.0 / np.sqrt(np.maximum(lengths, 1)).astype(np.float32)
        self._scale = tf.constant(scale)
        self.dense = None
        if len(lengths) * (num_members + 1) <= _DENSE_CELLS:
            dense = np.zeros((len(lengths), num_members + 1), np.float32)
            owners = np.repeat(np.arange(len(lengths)), lengths)
            dense[owners, members] = scale[owners]
            self.dense = tf.constant(dense)
        self._ragged = tf.RaggedTensor.from_row_splits(members, splits, validate=False)
        self._sums = None

    def freeze(self, table: tf.Variable) -> None:
        number = len(self._scale)
        blocks = [
            self.sums(table, tf.range(start, min(start + _ROWS_AT_ONCE, number)), 0.0, (0, 0))
            for start in range(0, number, _ROWS_AT_ONCE)
        ]
        self._sums = tf.Variable(tf.concat(blocks, axis=0), trainable=False, name="history_sums")
        self.dense = self._ragged = self._scale = None

    def opened(self) -> ItemTable:
        """The frozen sums, of items, in a table of any number of them."""
        table = ItemTable(self._sums, NOTHING)
        self._sums = table.rows
        return table

    def sums(self, table: tf.Variable, ids: tf.Tensor, dropout: float, seed: AnySeed) -> tf.Tensor:
        if self._sums is not None:
            return take_rows(self._sums, ids)
        if self.dense is not None:
            rows = take_rows(self.dense, ids)  # [n, members + 1]
            if dropout:
                rows = draws.dropout(rows, dropout, seed)
            return product(rows, table)
        sums = self._sum_ragged(table, ids, dropout, seed)
        return sums * tf.gather(self._scale, ids)[:, None]

    def _sum_ragged(
        self, table: tf.Variable, ids: tf.Tensor, dropout: float, seed: AnySeed
    ) -> tf.Tensor:
        members = tf.gather(self._ragged, ids)
        values, rows = members.values, members.value_rowids()
        if dropout:
            lengths = self._ragged.row_lengths()
            kept = draws.are_kept(
                tf.size(values), lambda each: tf.gather(lengths, each), dropout, seed
            )
            values, rows = tf.boolean_mask(values, kept), tf.boolean_mask(rows, kept)
        sums = sum_rows(table, values, tf.cast(rows, tf.int32), tf.shape(ids)[0])
        return sums / (1.0 - dropout)
