"""What all weightings share: the total is a sum of terms, one a task."""

from collections.abc import Sequence
from typing import Protocol

import tensorflow as tf


class Task(Protocol):
    """What a weighting asks of a task (tasks/)."""

    name: str
    weight: float  # as the config says
    is_regression: bool


class TaskWeighting(tf.keras.layers.Layer):
    """Weights tasks as the config says; a layer, so that what is learnt is part of the model."""

    # Whether `shares` is to be asked how the tasks' gradients are combined where tasks meet.
    combines_gradients = False

    def __init__(self, tasks: Sequence[Task]) -> None:
        super().__init__(name="weighting")
        self._tasks = list(tasks)

    def terms(
        self,
        losses: dict[str, tf.Tensor],
        rows: dict[str, tf.Tensor],
        part: tf.Tensor | float = 1.0,
    ) -> dict[str, tf.Tensor]:
        """Of the tasks' mean losses: what each task adds to the total that training minimises.

        `rows` are how many each is the mean over: of none, a loss is 0, which says nothing. Where
        losses are parts of means, `part` is how much of what is of no row is to be added.
        """
        del rows, part
        return {task.name: task.weight * losses[task.name] for task in self._tasks}

    def shares(self, products: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """How much of each task's gradient there is in the combined one, [tasks].

        products [tasks, tasks] are those of the terms' gradients; what is drawn, the seed draws.
        """
        del seed
        return tf.ones_like(products[0])

    def learnt(self) -> dict[str, tf.Tensor]:
        """The factor of each task's loss, by task, where it is learnt."""
        return {}
