"""What the tasks that predict a label have in common."""

import abc

import tensorflow as tf

from multitask_recommender import shares
from multitask_recommender.layers.means import mean_over, part_of_mean
from multitask_recommender.schema import observed_key
from multitask_recommender.tasks.settings._task import TaskSettings


class LabelTask(abc.ABC):
    """Predicts the label of its own name; its loss is a mean over the rows that hold it."""

    predicts_label = True
    is_regression = False
    only_with: str | None = None  # the label without which this one is 0
    initial_output: float  # where a head's bias begins

    def __init__(self, name: str, settings: TaskSettings) -> None:
        self.name = name
        self.labels = (name,)  # that a batch must hold
        self.weight = settings.weight

    @abc.abstractmethod
    def errors(self, labels: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """What each row's output [B] costs, [B]."""

    @abc.abstractmethod
    def prediction(self, outputs: tf.Tensor) -> tf.Tensor:
        """Outputs [B] as a user reads them, [B]."""

    def gain(self, predictions: tf.Tensor) -> tf.Tensor:
        """Predictions of any shape on a scale of 0..1, on which those of tasks can be added."""
        return predictions

    def loss(
        self, outputs: tf.Tensor, features: dict[str, tf.Tensor], training: bool = False
    ) -> tf.Tensor:
        """outputs [B]; the label and its mask are read from the features. Of a share, its part."""
        errors = self.errors(features[self.name], outputs)
        weights = self.weights(features, training)
        if not shares.is_share(features):
            return mean_over(errors, weights)
        return part_of_mean(errors, weights, self.weights(shares.whole(features), training))

    def weights(self, features: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """1.0 for the rows [B] that the loss is the mean over, 0.0 for the others."""
        del training  # for a task that learns from other rows than it is judged by
        return features[observed_key(self.name)]
