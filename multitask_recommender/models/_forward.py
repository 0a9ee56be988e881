"""What a batch comes to in a model, before it is one number."""

import dataclasses

import tensorflow as tf

from multitask_recommender.layers.representation import Representation


@dataclasses.dataclass(frozen=True)
class Forward:
    """The representation of a batch, and by task the mean loss and its term."""

    representation: Representation
    losses: dict[str, tf.Tensor]
    rows: dict[str, tf.Tensor]  # how many each loss is the mean over
    terms: dict[str, tf.Tensor]  # the parts of the total that is minimised
