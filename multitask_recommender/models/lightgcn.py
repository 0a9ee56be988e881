"""LightGCN: vectors averaged over hops of the interaction graph.

He et al., "LightGCN: Simplifying and Powering Graph Convolution Network for Recommendation", SIGIR
2020, section 3.1, with layer weights of 1 / (hops + 1) and the matrix form of section 3.1.3.

The paper trains by `tasks.retrieval: {loss: bpr, num_negatives: 1, remove_positives: true}`,
against items that the user has not met; a softmax wants `normalise` and `item_bias`, as BPR with
hard negatives does, and they learn in far fewer epochs. Ranking tasks read the propagated vectors.

Differs from the paper: weight decay charges a row's user and its item, not its drawn negatives.
"""

from typing import Any

import tensorflow as tf

from multitask_recommender.batches import NO_SEED
from multitask_recommender.interactions import Interactions
from multitask_recommender.layers.sums import in_order
from multitask_recommender.models._graph import GraphModel
from multitask_recommender.models.settings.lightgcn import Settings


class Model(GraphModel):
    def __init__(self, settings: Settings, train: Interactions, **shared: Any) -> None:
        super().__init__(settings, train, **shared)
        self._hops = settings.hops
        self._widths = [settings.embedding_dimension] * (settings.hops + 1)
        self.build_sharing()

    @property
    def dimension(self) -> int:
        return self._settings.embedding_dimension

    def hops(self, seed: tf.Tensor = NO_SEED, training: bool = False) -> list[tf.Tensor]:
        """E^(0) .. E^(K), where E^(k + 1) = D^-1/2 A D^-1/2 E^(k)."""
        hops = [tf.convert_to_tensor(self._nodes)]
        for place in range(self._hops):
            hops.append(self.next_hop(hops[-1], self._adjacent(hops[-1]), place))
        return hops

    def next_hop(self, own: tf.Tensor, received: tf.Tensor, place: int) -> tf.Tensor:
        return received

    def combined(self, hops: list[tf.Tensor]) -> tf.Tensor:
        return (in_order(hops) if self.is_frozen else tf.add_n(hops)) / len(hops)
