"""Ratings: squared error of the predicted stars."""

import tensorflow as tf

from multitask_recommender.interactions import Interactions
from multitask_recommender.layers.means import mean_over
from multitask_recommender.schema import observed_key
from multitask_recommender.tasks.settings.rating import Settings


class Task:
    """Mean squared error over the rows where the rating is observed."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.weight = settings.weight

    def loss(self, stars: tf.Tensor, features: dict[str, tf.Tensor]) -> tf.Tensor:
        """stars [B]; the label and its mask are read from the features."""
        errors = tf.math.squared_difference(features[self.name], stars)  # [B]
        return mean_over(errors, features[observed_key(self.name)])

    def prediction(self, stars: tf.Tensor) -> tf.Tensor:
        """Stars [B], as the head gives them."""
        return stars

    def initial_output(self, train: Interactions) -> float:
        """The mean rating in training: where a head's bias begins."""
        values = train.labels[self.name][train.is_observed(self.name)]
        return float(values.mean()) if len(values) else 0.0
