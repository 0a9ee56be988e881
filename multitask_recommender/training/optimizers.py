"""Optimizers whose step does not grow with the embedding tables.

A table's gradient holds only the rows that a batch used. Keras' Adagrad updates just those. Its
Adam decays the moments of every row, at every step; LazyAdam those of the used rows only.
"""

import tensorflow as tf

Optimizer = tf.keras.optimizers.legacy.Optimizer


def build(name: str, learning_rate, initial_accumulator: float = 0.1) -> Optimizer:
    """adagrad, adam or lazy_adam; the learning rate is a number or a schedule over steps."""
    if name == "adagrad":
        return tf.keras.optimizers.legacy.Adagrad(learning_rate, initial_accumulator)
    if name == "adam":
        return tf.keras.optimizers.legacy.Adam(learning_rate)
    return LazyAdam(learning_rate)


class LazyAdam(tf.keras.optimizers.legacy.Adam):
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
            m.scatter_update(tf.IndexedSlices(new_m, indices)),
            v.scatter_update(tf.IndexedSlices(new_v, indices)),
            var.scatter_sub(tf.IndexedSlices(step, indices)),
        )
