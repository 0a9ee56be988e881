"""Fixed weights: the total is the sum of weight x loss, as the config says."""

import tensorflow as tf


class Weighting:
    """Combines the tasks' mean losses."""

    def __init__(self, weights: dict[str, float]) -> None:
        self._weights = weights

    def combine(self, losses: dict[str, tf.Tensor]) -> tf.Tensor:
        return tf.add_n([self._weights[name] * loss for name, loss in losses.items()])
