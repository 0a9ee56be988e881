"""Binary labels (click, like, share, follow): cross-entropy of the head's logit."""

import numpy as np
import tensorflow as tf

from multitask_recommender.interactions import Interactions
from multitask_recommender.layers.means import mean_over
from multitask_recommender.schema import observed_key
from multitask_recommender.tasks.settings.binary import Settings


class Task:
    """Mean cross-entropy over the rows where the label is observed."""

    predicts_label = True

    def __init__(self, name: str, settings: Settings, train: Interactions) -> None:
        self.name = name
        self.weight = settings.weight
        values = train.labels[name][train.is_observed(name)]
        # One positive and one negative more than seen keep the logit of a constant label finite.
        positives = values.sum() + 1
        # The logit of the label's rate in training: where a head's bias begins.
        self.initial_output = float(np.log(positives / (len(values) + 2 - positives)))

    def loss(self, logits: tf.Tensor, features: dict[str, tf.Tensor]) -> tf.Tensor:
        """logits [B]; the label and its mask are read from the features."""
        labels = features[self.name]
        errors = tf.nn.sigmoid_cross_entropy_with_logits(labels, logits)  # [B]
        return mean_over(errors, self.weights(features))

    def weights(self, features: dict[str, tf.Tensor]) -> tf.Tensor:
        """1.0 for the rows [B] that the loss is the mean over, 0.0 for the others."""
        return features[observed_key(self.name)]

    def prediction(self, logits: tf.Tensor) -> tf.Tensor:
        """Probabilities [B]."""
        return tf.sigmoid(logits)
