"""What replicas of a model tell each other: sums of losses and of gradients."""

import functools
import itertools
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

# How many rows may travel: powers of two and three steps between them, so that what is filled in is
# a fourth at the most, of the worker who has most of them.
_SIZES = [1, 2, 3, *(step << power for power in range(28) for step in (4, 5, 6, 7))]
_NO_ROW = -1
_FIRST_KEY = 1 << 30  # of collectives; a strategy counts its groups from 1, its uses from 100
_blocks = itertools.count()  # of keys that this process has given out


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

    Between workers, TensorFlow's own sums of such gradients fail as soon as a batch has more rows
    or fewer: a collective remembers its shape by its key. So here each worker sums his own by row,
    and tells the others which of some sizes they fit; they are filled up to the greatest of these,
    and each size has keys of its own. A step moves what the batch names, not what the tables hold.
    """
    strategy = tf.distribute.get_strategy()
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return summed(list(gradients))
    own = [
        _sums_by_row(each.indices, each.values) if isinstance(each, tf.IndexedSlices) else each
        for each in gradients
    ]
    told = summed([_size_of(each) if isinstance(each, tf.IndexedSlices) else each for each in own])
    found = []
    for place, (gradient, total) in enumerate(zip(own, told, strict=True)):
        if isinstance(gradient, tf.IndexedSlices):
            size = tf.cast(tf.where(total > 0)[-1, 0], tf.int32)  # the greatest of all workers'
            rows, values = _filled(gradient, tf.gather(_SIZES, size))
            kind = (tuple(gradient.values.shape[1:]), values.dtype, rows.dtype)
            key = _first_key(place, kind) + 2 * size
            total = _sums_by_row(_gather(rows, key), _gather(values, key + 1))
        found.append(total)
    return found


@functools.cache
def _first_key(place: int, kind: tuple) -> int:
    """Of a place among the gradients and a kind of rows: a process may train several models.

    All workers make the same functions in the same order, and so come to the same keys.
    """
    return _FIRST_KEY + 2 * len(_SIZES) * next(_blocks)


def _size_of(gradient: tf.IndexedSlices) -> tf.Tensor:
    """Which of _SIZES its rows fit: a one there, among zeros."""
    smaller = tf.constant(_SIZES) < tf.size(gradient.indices)
    return tf.one_hot(tf.math.count_nonzero(smaller, dtype=tf.int32), len(_SIZES))


def _filled(gradient: tf.IndexedSlices, length: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Numbers of rows [length] and values [length, ...], some of them of no row."""
    end = [[0, length - tf.size(gradient.indices)]]
    rows = tf.pad(gradient.indices, end, constant_values=_NO_ROW)
    return rows, tf.pad(gradient.values, end + [[0, 0]] * (len(gradient.values.shape) - 1))


def _sums_by_row(rows: tf.Tensor, values: tf.Tensor) -> tf.IndexedSlices:
    """Of rows that may come several times, or be none."""
    is_row = rows != _NO_ROW
    distinct, places = tf.unique(rows[is_row])
    return tf.IndexedSlices(
        tf.math.unsorted_segment_sum(values[is_row], places, tf.size(distinct)), distinct
    )


def _gather(tensor: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
    """Those of all workers, one after the other, in the same order on each."""
    return tf.raw_ops.CollectiveGatherV2(
        input=tensor,
        group_size=tf.distribute.get_strategy().num_replicas_in_sync,
        group_key=_FIRST_KEY,
        instance_key=key,
        ordering_token=[],
        communication_hint="ring",  # NCCL needs all collectives in one order; this one does not
    )
