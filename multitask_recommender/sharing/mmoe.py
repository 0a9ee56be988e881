"""MMoE: experts that all ranking tasks read, each through a gate of its own.

Ma et al., "Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts",
KDD 2018, section 4.

Differs from the paper: gates have a bias, so that a task may prefer an expert whatever the row; and
each head also has a linear term of the pair, which begins as the dot product (layers/heads.py),
unless `linear` is false. Without hidden layers that term is all: there are no experts then.
"""

from collections.abc import Mapping

import tensorflow as tf

from multitask_recommender.batches import NO_SEED
from multitask_recommender.layers.draws import AnySeed
from multitask_recommender.layers.experts import Experts, Gates, mix
from multitask_recommender.layers.heads import LabelTask, PairShape, Towers, heads
from multitask_recommender.sharing.settings.mmoe import Settings


class Sharing(tf.keras.layers.Layer):
    """pair [B, P] -> {label: output [B]}, logits for binary labels and stars for ratings.

    What is dropped in training is a function of the seed (layers/draws.py).
    """

    def __init__(
        self, settings: Settings, pair_shape: PairShape, tasks: Mapping[str, LabelTask]
    ) -> None:
        super().__init__(name="mmoe")
        self._experts = None
        if settings.hidden_layers and tasks:
            number, dropout = settings.experts, settings.dropout
            self._experts = Experts(number, settings.hidden_layers, dropout, "experts")
            self._gates = Gates([number] * len(tasks), "gates")
            self._towers = Towers(tasks, settings.tower_layers, dropout)
        self._heads = heads(pair_shape, tasks, settings.linear)

    def call(
        self, pair: tf.Tensor, seed: AnySeed = NO_SEED, training: bool = False
    ) -> dict[str, tf.Tensor]:
        hidden = {}
        if self._experts is not None:
            experts = self._experts(pair, seed, training=training)  # [B, n, H]
            mixed = {
                label: mix(gate, experts)
                for label, gate in zip(self._heads, self._gates(pair), strict=True)
            }
            hidden = self._towers(mixed, seed, training=training)
        return {label: head(pair, hidden.get(label)) for label, head in self._heads.items()}

    def gates(self, pair: tf.Tensor) -> dict[str, tf.Tensor]:
        """How much of each expert a task reads of each row: {"like/expert_0": [B]}."""
        if self._experts is None:
            return {}
        return {
            f"{label}/expert_{place}": weights
            for label, gate in zip(self._heads, self._gates(pair), strict=True)
            for place, weights in enumerate(tf.unstack(gate, axis=1))
        }
