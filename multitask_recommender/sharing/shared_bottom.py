"""Shared bottom: one stack of layers that all ranking tasks read, and a head for each.

Caruana, "Multitask Learning", Machine Learning 28, 1997.

Differs from the paper: each head also has a linear term of the pair, which begins as the dot
product (layers/heads.py). Without hidden layers that term is all.
"""

import tensorflow as tf

from multitask_recommender.batches import NO_SEED
from multitask_recommender.layers.heads import HiddenLayers, PairShape, heads
from multitask_recommender.sharing.settings.shared_bottom import Settings


class Sharing(tf.keras.layers.Layer):
    """pair [B, P] -> {label: output [B]}, logits for binary labels and stars for ratings.

    What is dropped in training is a function of the seed [2].
    """

    def __init__(
        self, settings: Settings, pair_shape: PairShape, initial_outputs: dict[str, float]
    ) -> None:
        super().__init__(name="shared_bottom")
        self._bottom = None
        if settings.hidden_layers and initial_outputs:
            self._bottom = HiddenLayers(settings.hidden_layers, settings.dropout, "bottom")
        self._heads = heads(pair_shape, initial_outputs)

    def call(
        self, pair: tf.Tensor, seed: tf.Tensor = NO_SEED, training: bool = False
    ) -> dict[str, tf.Tensor]:
        hidden = None if self._bottom is None else self._bottom(pair, seed, training=training)
        return {label: head(pair, hidden) for label, head in self._heads.items()}
