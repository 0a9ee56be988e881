"""A feature as a vector: of its code, the mean of its codes, or a scaled number.

Values are of the rows of a user or item table, which ids choose (FeatureEmbedding), or of events
(layers/context.py). Either way they become vectors here.
"""

import contextlib
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from multitask_recommender.interactions import Feature
from multitask_recommender.layers.initial import Normal
from multitask_recommender.layers.item_table import ItemTable, of_feature
from multitask_recommender.layers.rows import keyed, lookup, sum_rows, take_rows

# Up to this many, a matrix product and a small dense gradient beat gathering a row for each code.
_FEW_CODES = 32
_DENSE_CELLS = 2**22  # the same of a matrix of rows and codes that is made once, of 16 MiB

Stddev = float | Sequence[float]  # of initial tables: for all coordinates, or for each


class FeatureVectors(tf.keras.layers.Layer):
    """Values of a feature -> vectors [n, D].

    categorical: codes [n], or [n, M] padded with 0. A code has a vector, several have their mean;
        0, which is missing, has none.
    numeric: numbers [n], NaN where missing. A number is brought to the mean 0 and the deviation 1
        of those learnt from, times a vector. What is missing has a vector of its own where that
        occurs in what is learnt from, else none.

    Args:
      learnt: the feature, with the values to learn from.
      dimension, stddev: of the table, and of its initial values.
    """

    def __init__(self, name: str, learnt: Feature, dimension: int, stddev: Stddev) -> None:
        super().__init__(name=f"feature_{name}")
        self._is_categorical = learnt.is_categorical
        if self._is_categorical:
            width = len(learnt.vocabulary) + 1
        else:
            known = np.isfinite(learnt.values)
            numbers = learnt.values[known]
            self._mean = float(numbers.mean(dtype=np.float64)) if len(numbers) else 0.0
            self._deviation = float(numbers.std(dtype=np.float64)) + 1e-6 if len(numbers) else 1.0
            width = 1 if known.all() else 2
        self.table = self.add_weight(
            name="table",
            shape=[width, dimension],
            initializer=Normal(stddev=stddev),
        )
        if self._is_categorical:
            keyed(self.table, learnt.vocabulary)

    def call(self, values: tf.Tensor) -> tf.Tensor:
        if not self._is_categorical or self.table.shape[0] <= _FEW_CODES:
            return tf.matmul(self.weights_of(values), self.table)
        if values.shape.rank == 1:
            known = tf.cast(values > 0, tf.float32)[:, None]
            return lookup(self.table, values) * known
        return self._means(values)

    def weights_of(self, values: tf.Tensor) -> tf.Tensor:
        """How much of each row of the table values are, [n, rows]: vectors are the product."""
        width = self.table.shape[0]
        if self._is_categorical:
            columns = values if values.shape.rank == 2 else values[:, None]  # [n, M]
            counts = tf.math.bincount(columns, minlength=width, maxlength=width, axis=-1)
            counts = tf.cast(counts, tf.float32) * tf.constant([0.0] + [1.0] * (width - 1))
            return counts / tf.maximum(tf.reduce_sum(counts, axis=1, keepdims=True), 1.0)
        missing = ~tf.math.is_finite(values)
        scaled = tf.where(missing, 0.0, (values - self._mean) / self._deviation)
        return tf.stack([scaled, tf.cast(missing, tf.float32)][:width], axis=1)

    def _means(self, codes: tf.Tensor) -> tf.Tensor:
        """The mean vector of codes [n, M], [n, D], with a gradient as sparse as the codes."""
        known = codes > 0
        owners = tf.where(known)[:, 0]
        sums = sum_rows(self.table, tf.boolean_mask(codes, known), owners, tf.shape(codes)[0])
        numbers = tf.reduce_sum(tf.cast(known, tf.float32), axis=1, keepdims=True)
        return sums / tf.maximum(numbers, 1.0)


class FeatureEmbedding(tf.keras.layers.Layer):
    """A feature of a user or item table: ids [n] -> vectors [n, D], see FeatureVectors.

    `feature` holds a row for each id from 0, the unknown, whose values are not learnt from.
    """

    def __init__(
        self,
        name: str,
        feature: Feature,
        dimension: int,
        stddev: Stddev,
        of_items: bool = False,
    ) -> None:
        super().__init__(name=f"feature_{name}")
        self._feature, self._of_items = name, of_items
        learnt = feature.take(slice(1, None))
        self._vectors = FeatureVectors(name, learnt, dimension, stddev)
        dtype = tf.int32 if feature.is_categorical else tf.float32
        self._values, self._weights = tf.constant(feature.values, dtype), None
        if len(feature.values) * self.table.shape[0] <= _DENSE_CELLS:
            # The same for every step.
            self._weights = self._vectors.weights_of(self._values)

    @property
    def table(self) -> tf.Variable:
        return self._vectors.table

    def freeze(self) -> None:
        """Keeps the values as a variable, not within the graph: for scoring alone."""
        self._weights = None
        if self._of_items:
            self._item_table = ItemTable(self._values, of_feature(self._feature))
            self._values = self._item_table.rows
        else:
            self._values = tf.Variable(self._values, trainable=False, name="values")

    @contextlib.contextmanager
    def without(self, row: int) -> Iterator[None]:
        """Of a frozen layer: the value of an id is missing as long as this lasts."""
        if not isinstance(self._values, tf.Variable):
            raise ValueError(f"{self.name} is not frozen: its values are part of the graph.")
        kept = self._values[row]
        self._values[row].assign(tf.zeros_like(kept) if kept.dtype.is_integer else kept * np.nan)
        try:
            yield
        finally:
            self._values[row].assign(kept)

    def call(self, ids: tf.Tensor, told: tf.Tensor | None = None) -> tf.Tensor:
        """`told` are values [n] or [n, M] that count where they are not missing."""
        if told is not None:
            return self._vectors(_first_known(told, tf.gather(self._values, ids)))
        if self._weights is not None:
            return tf.matmul(take_rows(self._weights, ids), self.table)
        return self._vectors(tf.gather(self._values, ids))


def has_value(values: tf.Tensor) -> tf.Tensor:
    """Which rows [n] of a feature's values [n] or [n, M] are not missing."""
    if values.dtype.is_floating:
        return tf.math.is_finite(values)
    return values != 0 if values.shape.rank == 1 else tf.reduce_any(values != 0, axis=1)


def _first_known(told: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """Rows of the first where they are not missing, else of the second."""
    if told.shape.rank == 1:
        return tf.where(has_value(told), told, values)
    width = tf.maximum(tf.shape(told)[1], tf.shape(values)[1])
    told, values = (
        tf.pad(each, [[0, 0], [0, width - tf.shape(each)[1]]]) for each in (told, values)
    )
    return tf.where(has_value(told)[:, None], told, values)
