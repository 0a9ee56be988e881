"""PCGrad: where two tasks pull against each other, each gives up what goes against the other.

Yu et al., "Gradient Surgery for Multi-Task Learning", NeurIPS 2020, algorithm 1: a task's gradient
is projected, in random order, onto the normal plane of each other task's that it conflicts with.

Differs from the paper: gradients are those at the representation of a batch, where tasks meet
(Representation.cut), not of the parameters. Tables get the combined gradient through it, and what
each task reads downstream, which includes a sharing block, gets the plain sum. So nothing is ever
as large as a table, and the embedding rows of a step stay as sparse as they are.
"""

from collections.abc import Sequence

import tensorflow as tf

from multitask_recommender.weighting._weighting import Task, TaskWeighting
from multitask_recommender.weighting.settings.pcgrad import Settings


class Weighting(TaskWeighting):
    """Gradients are of weight x loss, the weights being those of the config."""

    combines_gradients = True

    def __init__(self, settings: Settings, tasks: Sequence[Task]) -> None:
        del settings
        super().__init__(tasks)

    def shares(self, products: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Projections are linear, so their factors follow from the products alone."""
        number = len(self._tasks)
        squares = tf.linalg.diag_part(products)
        # Line t: the others in the order in which task t meets them, itself among them.
        order = tf.argsort(tf.random.stateless_uniform([number, number], seed), axis=1)
        own = tf.range(number)
        factors = tf.eye(number)  # line t: task t's gradient as a sum of all tasks' gradients
        for place in range(number):
            other = order[:, place]
            along = tf.reduce_sum(factors * tf.gather(products, other), axis=1)
            conflicts = (along < 0) & (other != own)
            part = tf.math.divide_no_nan(along, tf.gather(squares, other))
            part = tf.where(conflicts, part, 0.0)
            factors -= part[:, None] * tf.one_hot(other, number)
        return tf.reduce_sum(factors, axis=0)
