"""Mean losses of an epoch, the same on every replica."""

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
