"""Binary labels (click, like, share, follow): cross-entropy of the head's logit."""

import numpy as np
import tensorflow as tf

from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import observed_key
from multitask_recommender.tasks._label import LabelTask
from multitask_recommender.tasks.settings.binary import Settings


class Task(LabelTask):
    """Mean cross-entropy over the rows where the label is observed.

    With `observed_where`, it is learnt from the rows alone where that label is 1, as a head of
    conversion rates often is; it is judged on all rows all the same.
    """

    def __init__(self, name: str, settings: Settings, train: Interactions) -> None:
        super().__init__(name, settings)
        self.only_with = settings.only_with
        self._where = settings.observed_where
        if self._where is not None:
            self.labels = (name, self._where)
        rows = train.is_observed(name)
        if self._where is not None:
            rows = rows & train.positives(self._where)
        values = train.labels[name][rows]
        # One positive and one negative more than seen keep the logit of a constant label finite.
        positives = values.sum() + 1
        # The logit of the label's rate in training.
        self.initial_output = float(np.log(positives / (len(values) + 2 - positives)))

    def weights(self, features: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        observed = super().weights(features)
        if self._where is None or not training:
            return observed
        is_there = tf.cast(features[self._where] == 1, tf.float32)
        return observed * is_there * features[observed_key(self._where)]

    def errors(self, labels: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        return tf.nn.sigmoid_cross_entropy_with_logits(labels, outputs)

    def prediction(self, outputs: tf.Tensor) -> tf.Tensor:
        """Probabilities [B]."""
        return tf.sigmoid(outputs)
