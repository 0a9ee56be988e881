"""What replicas of a model tell each other: sums of losses and of gradients."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf


class LossMean(tf.keras.metrics.Mean):
    """A mean over batches whose losses are told to every replica, whole and alike.

    Keras' own keeps a sum for each replica and adds them up when it is read, which every worker
    must take part in. Here what replicas know of a loss is summed before it is told, so that one
    worker may read, save and restore a mean by itself.
    """

    def add_weight(self, name: str, **options: Any) -> tf.Variable:
        return tf.keras.layers.Layer.add_weight(
            self,
            name=name,
            shape=options.get("shape", ()),
            dtype=self._dtype,
            initializer=options["initializer"],
            trainable=False,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )


def summed(values: Any) -> Any:
    """Tensors, each summed over the replicas: to be called by all of them."""
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, values)


def apply(
    optimizer: tf.keras.optimizers.legacy.Optimizer,
    gradients: Sequence[tf.Tensor | tf.IndexedSlices | None],
    variables: Sequence[tf.Variable],
    are_shares: bool,
) -> None:
    """A step along gradients, or along their sums where each replica has its own share of them."""
    pairs = [(g, v) for g, v in zip(gradients, variables, strict=True) if g is not None]
    gradients, variables = zip(*pairs, strict=True)
    if are_shares:
        gradients = summed_gradients(gradients)
    pairs = zip(gradients, variables, strict=True)
    # Sums already. TensorFlow lets nobody say so to parameter servers; there, they are of one.
    are_of_one = isinstance(tf.distribute.get_strategy(), tf.distribute.ParameterServerStrategy)
    optimizer.apply_gradients(pairs, experimental_aggregate_gradients=are_of_one)


def summed_gradients(gradients: Sequence[tf.Tensor | tf.IndexedSlices]) -> list:
    """Gradients, each summed over the replicas; those of some rows stay so.

    Between workers, TensorFlow gathers the rows of a gradient by a collective that remembers how
    many they were, and fails as soon as a batch has more or fewer. So they travel as whole tables,
    with one more column that says which rows are used: a step moves as much as the tables hold.
    """
    strategy = tf.distribute.get_strategy()
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return summed(list(gradients))
    whole = summed([_with_uses(each) for each in gradients])
    return [
        _used(table, each.values.shape[1:]) if isinstance(each, tf.IndexedSlices) else table
        for table, each in zip(whole, gradients, strict=True)
    ]


def _with_uses(gradient: tf.Tensor | tf.IndexedSlices) -> tf.Tensor:
    """A gradient of some rows [n, ...] as a table [R, D + 1], how often each was used at last."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    values = tf.reshape(gradient.values, [tf.size(gradient.indices), -1])
    values = tf.pad(values, [[0, 0], [0, 1]], constant_values=1.0)
    return tf.math.unsorted_segment_sum(values, gradient.indices, gradient.dense_shape[0])


def _used(table: tf.Tensor, shape: tf.TensorShape) -> tf.IndexedSlices:
    """The rows of a table that were used, each of the given shape."""
    rows = tf.where(table[:, -1] > 0)[:, 0]
    values = tf.reshape(tf.gather(table[:, :-1], rows), [-1, *shape])
    return tf.IndexedSlices(values, rows)
