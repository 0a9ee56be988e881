"""Uncertainty: each task's loss is divided by a variance that is learnt with the model.

Kendall, Gal and Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses for Scene Geometry
and Semantics", CVPR 2018, section 3.2: with s = log sigma^2, a regression adds
exp(-s) / 2 x loss + s / 2 and a classification exp(-s) x loss + s / 2.

Differs from the paper: the weights of the config multiply a task's whole term, which leaves its
best s as it is; a batch without a row of a task has no term of it; a retrieval loss, pairwise too,
counts as a classification; and regularisation is not weighted, so that a task whose loss counts
less is regularised more. Held-out losses are summed by the weights of the config alone, so that
epochs and weightings can be compared.
"""

from collections.abc import Sequence

import tensorflow as tf

from multitask_recommender.weighting._weighting import Task, TaskWeighting
from multitask_recommender.weighting.settings.uncertainty import Settings


class Weighting(TaskWeighting):
    """Begins with every variance at 1."""

    def __init__(self, settings: Settings, tasks: Sequence[Task]) -> None:
        del settings
        super().__init__(tasks)
        self.log_variances = self.add_weight(
            name="log_variances", shape=[len(self._tasks)], initializer="zeros"
        )

    def terms(
        self,
        losses: dict[str, tf.Tensor],
        rows: dict[str, tf.Tensor],
        part: tf.Tensor | float = 1.0,
    ) -> dict[str, tf.Tensor]:
        factors, terms = self.learnt(), {}
        for task, log_variance in zip(self._tasks, tf.unstack(self.log_variances), strict=True):
            # Else a batch without a row of the task would pull its variance towards 0.
            is_told = tf.cast(rows[task.name] > 0, tf.float32)
            log_deviation = task.weight * part * log_variance / 2.0
            terms[task.name] = factors[task.name] * losses[task.name] + is_told * log_deviation
        return terms

    def learnt(self) -> dict[str, tf.Tensor]:
        precisions = tf.unstack(tf.exp(-self.log_variances))
        return {
            task.name: task.weight * (0.5 if task.is_regression else 1.0) * precision
            for task, precision in zip(self._tasks, precisions, strict=True)
        }
