"""Binary labels (click, like, share, follow): cross-entropy of the head's logit."""

import numpy as np
import tensorflow as tf

from multitask_recommender.interactions import Interactions
from multitask_recommender.tasks._label import LabelTask
from multitask_recommender.tasks.settings.binary import Settings


class Task(LabelTask):
    """Mean cross-entropy over the rows where the label is observed."""

    def __init__(self, name: str, settings: Settings, train: Interactions) -> None:
        super().__init__(name, settings)
        values = train.labels[name][train.is_observed(name)]
        # One positive and one negative more than seen keep the logit of a constant label finite.
        positives = values.sum() + 1
        # The logit of the label's rate in training.
        self.initial_output = float(np.log(positives / (len(values) + 2 - positives)))

    def errors(self, labels: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        return tf.nn.sigmoid_cross_entropy_with_logits(labels, outputs)

    def prediction(self, outputs: tf.Tensor) -> tf.Tensor:
        """Probabilities [B]."""
        return tf.sigmoid(outputs)
