"""Separate: each ranking task has layers and a head of its own; only the embeddings are shared.

Not the single-task twin, which has its own embeddings too and is a run of its own.
"""

import tensorflow as tf

from multitask_recommender.layers.heads import Head, PairShape, hidden_layers
from multitask_recommender.sharing.settings.separate import Settings


class Sharing(tf.keras.layers.Layer):
    """pair [B, P] -> {label: output [B]}, logits for binary labels and stars for ratings."""

    def __init__(
        self, settings: Settings, pair_shape: PairShape, initial_outputs: dict[str, float]
    ) -> None:
        super().__init__(name="separate")
        self._towers = {
            label: hidden_layers(settings.hidden_layers, settings.dropout, f"tower_{label}")
            for label in initial_outputs
            if settings.hidden_layers
        }
        self._heads = {
            label: Head(pair_shape, initial, name=f"head_{label}")
            for label, initial in initial_outputs.items()
        }

    def call(self, pair: tf.Tensor, training: bool = False) -> dict[str, tf.Tensor]:
        hidden = {label: tower(pair, training=training) for label, tower in self._towers.items()}
        return {label: head(pair, hidden.get(label)) for label, head in self._heads.items()}
