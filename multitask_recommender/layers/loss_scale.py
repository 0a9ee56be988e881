"""Scaled losses: float16 knows no gradient below 6e-8, and none above 65,504.

Micikevicius et al., "Mixed Precision Training", ICLR 2018, section 3.2. The loss is multiplied by a
scale and its gradients, once they are float32, are divided by it. Where one is not finite, the step
is left out and the scale halved; after 2,000 others in a row it is doubled. All that is Keras'
LossScaleOptimizer: the scale is part of its checkpoints, and a step that was left out counts as
one, so that a place in training is still one integer.
"""

from collections.abc import Sequence

import tensorflow as tf

LossScaleOptimizer = tf.keras.mixed_precision.LossScaleOptimizer
Optimizer = tf.keras.optimizers.legacy.Optimizer
Gradient = tf.Tensor | tf.IndexedSlices | None


def wrapped(optimizer: Optimizer, precision: str) -> Optimizer:
    """The optimizer as training in a precision wants it."""
    return LossScaleOptimizer(optimizer) if precision == "float16" else optimizer


def scale_of(optimizer: Optimizer | None) -> tf.Tensor | float:
    """What losses are multiplied by."""
    return optimizer.loss_scale if isinstance(optimizer, LossScaleOptimizer) else 1.0


def gradients(
    tape: tf.GradientTape, loss: tf.Tensor, variables: Sequence[tf.Variable], optimizer: Optimizer
) -> list[Gradient]:
    """Those of a loss, computed of it scaled where the optimizer says so."""
    if not isinstance(optimizer, LossScaleOptimizer):
        return tape.gradient(loss, variables)
    with tape:
        scaled = optimizer.get_scaled_loss(loss)
    return optimizer.get_unscaled_gradients(tape.gradient(scaled, variables))


def state(optimizer: Optimizer) -> list[tf.Variable]:
    """The scale, and how many steps in a row were well: `optimizer.variables()` leaves them out."""
    if not isinstance(optimizer, LossScaleOptimizer):
        return []
    return [optimizer._loss_scale.current_loss_scale, optimizer.dynamic_counter]


def is_exhausted(optimizer: Optimizer) -> tf.Tensor:
    """Whether a step has been left out and the scale is 1, below which it does not go."""
    if not isinstance(optimizer, LossScaleOptimizer):
        return tf.constant(False)
    return (optimizer.loss_scale <= 1.0) & (optimizer.dynamic_counter <= 0)
