"""Optimizers whose step does not grow with the embedding tables.

A table's gradient holds only the rows that a batch used. Keras' Adam decays the moments of every
row, at every step; LazyAdam those of the used rows only. Rows are gathered, computed and put back:
TensorFlow's kernels that change rows in place (`scatter_sub`, sparse Adagrad) wait for memory row
by row, which makes them two to four times slower where tables do not fit the caches.
"""

import tensorflow as tf

from multitask_recommender.training.clipping import clipped
from multitask_recommender.training.settings import Settings

Optimizer = tf.keras.optimizers.legacy.Optimizer


def of(settings: Settings, learning_rate) -> Optimizer:
    """The optimizer of a training, whose learning rate is a number or a schedule over steps."""
    accumulator, norm = settings.first_accumulator, settings.clip_norm
    return build(settings.optimizer, learning_rate, accumulator, norm)


def build(
    name: str, learning_rate, initial_accumulator: float = 0.1, clip_norm: float | None = None
) -> Optimizer:
    """Adagrads' sums of squares begin at `initial_accumulator`; a step's gradient is no longer than
    `clip_norm`.
    """
    if name in ("adagrad", "rowwise_adagrad"):
        kind = Adagrad if name == "adagrad" else RowwiseAdagrad
        optimizer = kind(learning_rate, initial_accumulator)
    else:
        optimizer = (Adam if name == "adam" else LazyAdam)(learning_rate)
    optimizer.clip_norm = clip_norm
    return optimizer


class _Clipping:
    """What Keras does to gradients before a step, once they are summed over replicas."""

    clip_norm: float | None = None

    def _transform_gradients(self, grads_and_vars: list[tuple]) -> list[tuple]:
        if self.clip_norm is None:
            return grads_and_vars
        gradients, variables = zip(*grads_and_vars, strict=True)
        return list(zip(clipped(gradients, self.clip_norm), variables, strict=True))


class _KeepsSlots:
    """Keras makes the slot of a table in shards anew whenever it is asked for it, of those of the
    shards, and TensorFlow restores only what somebody holds.
    """

    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self._kept = {}

    def get_slot(self, var, slot_name):
        slot = super().get_slot(var, slot_name)
        if isinstance(slot, tf.__internal__.distribute.ShardedVariable):
            _, slot = self._kept.setdefault((id(var), slot_name), (var, slot))
        return slot


class Adagrad(_KeepsSlots, _Clipping, tf.keras.optimizers.legacy.Adagrad):
    """Adagrad (Duchi et al., JMLR 12, 2011) as in Keras; only how rows are updated differs."""

    def _resource_apply_sparse(self, grad, var, indices, apply_state=None):
        # Rows arrive summed by index: the base class deduplicates them.
        coefficients = self._coefficients(var, apply_state)
        accumulator = self.get_slot(var, "accumulator")
        new_accumulator = tf.gather(accumulator, indices) + self._squares(grad)
        step = coefficients["lr_t"] * grad / (tf.sqrt(new_accumulator) + coefficients["epsilon"])
        return tf.group(
            _put(accumulator, new_accumulator, indices),
            _put(var, tf.gather(var, indices) - step, indices),
        )

    def _squares(self, grad: tf.Tensor) -> tf.Tensor:
        """What a gradient of rows adds to the accumulator."""
        return tf.square(grad)

    def _coefficients(self, var, apply_state):
        known = (apply_state or {}).get((var.device, var.dtype.base_dtype))
        return known or self._fallback_apply_state(var.device, var.dtype.base_dtype)


class RowwiseAdagrad(Adagrad):
    """Adagrad with one number for each row, which grows by the mean of its gradient's squares.

    As row-wise Adagrad in FBGEMM (Khudia et al., arXiv 2101.05615) and DLRM: a table of D columns
    has 1 / D of Adagrad's state. Weights without columns are as in Adagrad.
    """

    def _create_slots(self, var_list):
        for var in var_list:
            shape = [*var.shape[:1], *[1] * (var.shape.rank - 1)]
            initial = tf.constant_initializer(self._initial_accumulator_value)
            self.add_slot(var, "accumulator", initial, shape=shape)

    def _resource_apply_dense(self, grad, var, apply_state=None):
        coefficients = self._coefficients(var, apply_state)
        sums = self.get_slot(var, "accumulator").assign_add(self._squares(grad))
        step = coefficients["lr_t"] * grad / (tf.sqrt(sums) + coefficients["epsilon"])
        return var.assign_sub(step)

    def _squares(self, grad: tf.Tensor) -> tf.Tensor:
        columns = list(range(1, grad.shape.rank))
        return tf.reduce_mean(tf.square(grad), axis=columns, keepdims=True)


class Adam(_KeepsSlots, _Clipping, tf.keras.optimizers.legacy.Adam):
    """Adam as in Keras, which moves every row at every step; only how differs.

    Keras' own takes half a dozen passes over a table of which a batch used some rows. With the
    gradient made dense it is one.
    """

    def _resource_apply_sparse_duplicate_indices(self, grad, handle, indices, **state):
        dense = tf.math.unsorted_segment_sum(grad, indices, handle.shape[0])
        return self._resource_apply_dense(dense, handle, **state)


class LazyAdam(_KeepsSlots, _Clipping, tf.keras.optimizers.legacy.Adam):
    """Adam (Kingma and Ba, ICLR 2015) that leaves the rows alone which a batch did not use.

    Differs from the paper: the moments of an unused row do not decay, and momentum does not move
    it. Dense gradients are treated as in the paper.
    """

    def _resource_apply_sparse(self, grad, var, indices, apply_state=None):
        # Rows arrive summed by index: the base class deduplicates them.
        coefficients = (apply_state or {}).get((var.device, var.dtype.base_dtype))
        if coefficients is None:
            coefficients = self._fallback_apply_state(var.device, var.dtype.base_dtype)
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        new_m = coefficients["beta_1_t"] * tf.gather(m, indices) + (
            coefficients["one_minus_beta_1_t"] * grad
        )
        new_v = coefficients["beta_2_t"] * tf.gather(v, indices) + (
            coefficients["one_minus_beta_2_t"] * tf.square(grad)
        )
        step = coefficients["lr"] * new_m / (tf.sqrt(new_v) + coefficients["epsilon"])
        return tf.group(
            _put(m, new_m, indices),
            _put(v, new_v, indices),
            _put(var, tf.gather(var, indices) - step, indices),
        )


def _put(table: tf.Variable, rows: tf.Tensor, indices: tf.Tensor) -> tf.Tensor:
    return table.scatter_update(tf.IndexedSlices(rows, indices))
