"""Separate: each ranking task has layers and a head of its own; only the embeddings are shared.

Not the single-task twin, which has its own embeddings too and is a run of its own.
"""

from collections.abc import Mapping

import tensorflow as tf

from multitask_recommender.batches import NO_SEED
from multitask_recommender.layers.draws import AnySeed
from multitask_recommender.layers.heads import LabelTask, PairShape, Towers, heads
from multitask_recommender.sharing.settings.separate import Settings


class Sharing(tf.keras.layers.Layer):
    """pair [B, P] -> {label: output [B]}, logits for binary labels and stars for ratings.

    What is dropped in training is a function of the seed (layers/draws.py).
    """

    def __init__(
        self, settings: Settings, pair_shape: PairShape, tasks: Mapping[str, LabelTask]
    ) -> None:
        super().__init__(name="separate")
        self._towers = None
        if settings.hidden_layers:
            self._towers = Towers(tasks, settings.hidden_layers, settings.dropout)
        self._heads = heads(pair_shape, tasks, settings.linear)

    def call(
        self, pair: tf.Tensor, seed: AnySeed = NO_SEED, training: bool = False
    ) -> dict[str, tf.Tensor]:
        hidden = {}
        if self._towers is not None:
            hidden = self._towers(dict.fromkeys(self._heads, pair), seed, training=training)
        return {label: head(pair, hidden.get(label)) for label, head in self._heads.items()}
