"""Shared bottom: one stack of layers that all ranking tasks read, then a tower and head for each.

Caruana, "Multitask Learning", Machine Learning 28, 1997.

Differs from the paper: unless `linear` is false, each head also has a linear term of the pair,
which begins as the dot product (layers/heads.py); without hidden layers that term is all. By
default there are no towers.
"""

from collections.abc import Mapping

import tensorflow as tf

from multitask_recommender.batches import NO_SEED
from multitask_recommender.layers.draws import AnySeed
from multitask_recommender.layers.heads import HiddenLayers, LabelTask, PairShape, Towers, heads
from multitask_recommender.sharing.settings.shared_bottom import Settings


class Sharing(tf.keras.layers.Layer):
    """pair [B, P] -> {label: output [B]}, logits for binary labels and stars for ratings.

    What is dropped in training is a function of the seed (layers/draws.py).
    """

    def __init__(
        self, settings: Settings, pair_shape: PairShape, tasks: Mapping[str, LabelTask]
    ) -> None:
        super().__init__(name="shared_bottom")
        self._bottom = None
        if settings.hidden_layers and tasks:
            self._bottom = HiddenLayers(settings.hidden_layers, settings.dropout, "bottom")
            self._towers = Towers(tasks, settings.tower_layers, settings.dropout)
        self._heads = heads(pair_shape, tasks, settings.linear)

    def call(
        self, pair: tf.Tensor, seed: AnySeed = NO_SEED, training: bool = False
    ) -> dict[str, tf.Tensor]:
        hidden = {}
        if self._bottom is not None:
            bottom = self._bottom(pair, seed, training=training)
            hidden = self._towers(dict.fromkeys(self._heads, bottom), seed, training=training)
        return {label: head(pair, hidden.get(label)) for label, head in self._heads.items()}
