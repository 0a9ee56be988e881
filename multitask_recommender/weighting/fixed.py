"""Fixed weights: the total is the sum of weight x loss, as the config says."""

import tensorflow as tf

from multitask_recommender.weighting.settings.fixed import Settings


class Weighting:
    """Combines the tasks' mean losses."""

    def __init__(self, settings: Settings, weights: dict[str, float]) -> None:
        del settings  # the weights are the tasks' own
        self._weights = weights

    def combine(self, losses: dict[str, tf.Tensor]) -> tf.Tensor:
        return tf.add_n([self._weights[name] * loss for name, loss in losses.items()])
