"""Separate: each ranking task has layers and a head of its own; only the embeddings are shared.

Not the single-task twin, which has its own embeddings too and is a run of its own.
"""

import tensorflow as tf

from multitask_recommender.batches import NO_SEED
from multitask_recommender.layers.heads import HiddenLayers, PairShape, heads
from multitask_recommender.sharing.settings.separate import Settings


class Sharing(tf.keras.layers.Layer):
    """pair [B, P] -> {label: output [B]}, logits for binary labels and stars for ratings.

    What is dropped in training is a function of the seed [2].
    """

    def __init__(
        self, settings: Settings, pair_shape: PairShape, initial_outputs: dict[str, float]
    ) -> None:
        super().__init__(name="separate")
        self._towers = {
            label: HiddenLayers(settings.hidden_layers, settings.dropout, f"tower_{label}")
            for label in initial_outputs
            if settings.hidden_layers
        }
        self._heads = heads(pair_shape, initial_outputs)

    def call(
        self, pair: tf.Tensor, seed: tf.Tensor = NO_SEED, training: bool = False
    ) -> dict[str, tf.Tensor]:
        hidden = {}
        for place, (label, tower) in enumerate(self._towers.items()):
            own = tf.random.experimental.stateless_fold_in(seed, place)
            hidden[label] = tower(pair, own, training=training)
        return {label: head(pair, hidden.get(label)) for label, head in self._heads.items()}
