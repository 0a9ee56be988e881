"""Ratings: squared error of the predicted stars."""

import tensorflow as tf

from multitask_recommender.interactions import Interactions
from multitask_recommender.layers.means import mean_over
from multitask_recommender.schema import observed_key
from multitask_recommender.tasks.settings.rating import Settings


class Task:
    """Mean squared error over the rows where the rating is observed."""

    predicts_label = True

    def __init__(self, name: str, settings: Settings, train: Interactions) -> None:
        self.name = name
        self.weight = settings.weight
        values = train.labels[name][train.is_observed(name)]
        self._scale = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
        # The mean rating in training: where a head's bias begins.
        self.initial_output = float(values.mean()) if len(values) else 0.0

    def loss(self, stars: tf.Tensor, features: dict[str, tf.Tensor]) -> tf.Tensor:
        """stars [B]; the label and its mask are read from the features."""
        errors = tf.math.squared_difference(features[self.name], stars)  # [B]
        return mean_over(errors, self.weights(features))

    def weights(self, features: dict[str, tf.Tensor]) -> tf.Tensor:
        """1.0 for the rows [B] that the loss is the mean over, 0.0 for the others."""
        return features[observed_key(self.name)]

    def prediction(self, stars: tf.Tensor) -> tf.Tensor:
        """Stars [B], within the scale that training has seen."""
        return tf.clip_by_value(stars, *self._scale)
