"""What a model makes of a batch, before it is one number."""

import dataclasses

import tensorflow as tf

from multitask_recommender.layers.representation import Representation


@dataclasses.dataclass(frozen=True)
class Forward:
    """What a batch comes to: its representation, and by task the mean loss and its term.

    Of a share of a batch (shares.py), losses, terms and penalty are its parts of the batch's.
    """

    representation: Representation
    losses: dict[str, tf.Tensor]
    rows: dict[str, tf.Tensor]  # how many each loss is the mean over
    terms: dict[str, tf.Tensor]  # the parts of the total that is minimised
    penalty: tf.Tensor | float  # regularisation
