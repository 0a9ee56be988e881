"""PLE: levels of experts, some of one task's own and some shared; each task's gate reads both.

Tang et al., "Progressive Layered Extraction (PLE): A Novel Multi-Task Learning (MTL) Model for
Personalized Recommendations", RecSys 2020, section 4; one level is its CGC.

Differs from the paper: gates have a bias, so that a task may prefer an expert whatever the row; and
each head also has a linear term of the pair, which begins as the dot product (layers/heads.py),
unless `linear` is false. Without hidden layers that term is all: there are no experts then.
"""

from collections.abc import Mapping, Sequence

import tensorflow as tf

from multitask_recommender.batches import NO_SEED
from multitask_recommender.layers.draws import AnySeed, fold_in
from multitask_recommender.layers.experts import Experts, Gates, mix
from multitask_recommender.layers.heads import LabelTask, PairShape, Towers, heads
from multitask_recommender.sharing.settings.ple import Settings


class Level(tf.keras.layers.Layer):
    """Streams, one a task and the shared one last, through experts: each gate mixes what it reads.

    A task's gate reads its own experts and the shared ones; the shared gate reads all of them, and
    is left out of the last level, where nothing reads it. In the first level all streams are the
    same pair, so that all experts are one matrix product, and all gates are another.
    """

    def __init__(self, settings: Settings, num_tasks: int, place: int) -> None:
        super().__init__(name=f"level_{place}")
        own, shared = settings.task_experts, settings.shared_experts
        self._sizes = [own] * num_tasks + [shared]  # experts of each stream
        self._is_first = place == 0
        is_last = place == settings.levels - 1
        widths = [own + shared] * num_tasks + ([] if is_last else [sum(self._sizes)])
        if self._is_first:
            sizes, self._gates = [sum(self._sizes)], [Gates(widths, "gates")]
        else:
            sizes = self._sizes
            self._gates = [Gates([width], f"gate_{n}") for n, width in enumerate(widths)]
        self._experts = [
            Experts(size, settings.hidden_layers, settings.dropout, f"experts_{n}")
            for n, size in enumerate(sizes)
        ]

    def call(
        self, streams: Sequence[tf.Tensor], seed: AnySeed, training: bool = False
    ) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """Streams [B, P] each -> streams [B, H] of the next level, and the gates [B, n] of each."""
        experts = []
        for place, (layer, stream) in enumerate(zip(self._experts, streams, strict=False)):
            own = fold_in(seed, place)
            experts.append(layer(stream, own, training=training))
        gates = [gate for layer, x in zip(self._gates, streams, strict=False) for gate in layer(x)]
        if self._is_first:
            experts = tf.split(experts[0], self._sizes, axis=1)
        shared = experts[-1]
        read = [tf.concat([own, shared], axis=1) for own in experts[:-1]]
        if len(gates) > len(read):
            read.append(tf.concat(experts, axis=1))
        return [mix(gate, each) for gate, each in zip(gates, read, strict=True)], gates


class Sharing(tf.keras.layers.Layer):
    """pair [B, P] -> {label: output [B]}, logits for binary labels and stars for ratings.

    What is dropped in training is a function of the seed (layers/draws.py).
    """

    def __init__(
        self, settings: Settings, pair_shape: PairShape, tasks: Mapping[str, LabelTask]
    ) -> None:
        super().__init__(name="ple")
        self._num_own = settings.task_experts
        self._levels = []
        if settings.hidden_layers and tasks:
            self._levels = [Level(settings, len(tasks), n) for n in range(settings.levels)]
            self._towers = Towers(tasks, settings.tower_layers, settings.dropout)
        self._heads = heads(pair_shape, tasks, settings.linear)

    def call(
        self, pair: tf.Tensor, seed: AnySeed = NO_SEED, training: bool = False
    ) -> dict[str, tf.Tensor]:
        hidden = {}
        if self._levels:
            streams = self._extract(pair, seed, training)[0]
            mixed = dict(zip(self._heads, streams, strict=True))
            hidden = self._towers(mixed, seed, training=training)
        return {label: head(pair, hidden.get(label)) for label, head in self._heads.items()}

    def gates(self, pair: tf.Tensor) -> dict[str, tf.Tensor]:
        """How much of each expert a task reads of each row, by level where there are several.

        {"like/own_0": [B], "like/shared_0": [B]}, or {"like/level_1/own_0": [B], ...}.
        """
        found = {}
        for place, gates in enumerate(self._extract(pair, NO_SEED, training=False)[1]):
            level = f"level_{place}/" if len(self._levels) > 1 else ""
            for label, gate in zip(self._heads, gates, strict=False):  # without the shared gate
                for n, weights in enumerate(tf.unstack(gate, axis=1)):
                    is_own = n < self._num_own
                    name = f"own_{n}" if is_own else f"shared_{n - self._num_own}"
                    found[f"{label}/{level}{name}"] = weights
        return found

    def _extract(
        self, pair: tf.Tensor, seed: AnySeed, training: bool
    ) -> tuple[list[tf.Tensor], list[list[tf.Tensor]]]:
        """What the towers read, [B, H] a task, and the gates of each level."""
        streams, found = [pair] * (len(self._heads) + 1), []
        for place, level in enumerate(self._levels):
            own = fold_in(seed, place)
            streams, gates = level(streams, own, training=training)
            found.append(gates)
        return streams, found
