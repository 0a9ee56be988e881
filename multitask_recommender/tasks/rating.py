"""Ratings: squared error of the predicted stars."""

import tensorflow as tf

from multitask_recommender.interactions import Interactions
from multitask_recommender.tasks._label import LabelTask
from multitask_recommender.tasks.settings.rating import Settings


class Task(LabelTask):
    """Mean squared error over the rows where the rating is observed."""

    is_regression = True

    def __init__(self, name: str, settings: Settings, train: Interactions) -> None:
        super().__init__(name, settings)
        values = train.labels[name][train.is_observed(name)]
        self._scale = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
        # The mean rating in training.
        self.initial_output = float(values.mean()) if len(values) else 0.0

    def errors(self, labels: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        return tf.math.squared_difference(labels, outputs)

    def prediction(self, outputs: tf.Tensor) -> tf.Tensor:
        """Stars [B], within the scale that training has seen."""
        return tf.clip_by_value(outputs, *self._scale)

    def gain(self, predictions: tf.Tensor) -> tf.Tensor:
        lowest, highest = self._scale
        return (predictions - lowest) / max(highest - lowest, 1e-6)
