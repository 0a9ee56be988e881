"""Binary labels (click, like, share, follow): cross-entropy of the head's logit."""

import numpy as np
import tensorflow as tf

from multitask_recommender.interactions import Interactions
from multitask_recommender.layers.means import mean_over
from multitask_recommender.schema import observed_key
from multitask_recommender.tasks.settings.binary import Settings


class Task:
    """Mean cross-entropy over the rows where the label is observed."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.weight = settings.weight

    def loss(self, logits: tf.Tensor, features: dict[str, tf.Tensor]) -> tf.Tensor:
        """logits [B]; the label and its mask are read from the features."""
        labels = features[self.name]
        errors = tf.nn.sigmoid_cross_entropy_with_logits(labels, logits)  # [B]
        return mean_over(errors, features[observed_key(self.name)])

    def prediction(self, logits: tf.Tensor) -> tf.Tensor:
        """Probabilities [B]."""
        return tf.sigmoid(logits)

    def initial_output(self, train: Interactions) -> float:
        """The logit of the label's rate in training: where a head's bias begins."""
        values = train.labels[self.name][train.is_observed(self.name)]
        # One positive and one negative more than seen keep the logit of a constant label finite.
        positives = values.sum() + 1
        return float(np.log(positives / (len(values) + 2 - positives)))
