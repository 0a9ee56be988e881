"""NGCF: neural propagation over the interaction graph, with products of neighbours.

Wang et al., "Neural Graph Collaborative Filtering", SIGIR 2019: equation 7 for a propagation,
equation 9 for the concatenation of all of them, section 3.3.2 for message and node dropout.

As in the authors' code, and not in the paper, retrieval compares what each propagation gave as unit
vectors, and message dropout is of coordinates. Their code drops edges for node dropout; here, as in
the paper, a dropped node sends nothing. Ranking tasks read the vectors at their own lengths.

The paper trains by `tasks.retrieval: {loss: bpr, num_negatives: 1, remove_positives: true}`.

Differs from the paper: matrices begin by Xavier's rule, but nodes normal (`initial_stddev`); weight
decay charges a row's user and its item before propagation, neither its drawn negatives nor the
propagations' matrices.
"""

from typing import Any

import tensorflow as tf

from multitask_recommender.batches import NO_SEED
from multitask_recommender.interactions import Interactions
from multitask_recommender.layers.precision import product
from multitask_recommender.models._graph import GraphModel
from multitask_recommender.models.settings.ngcf import Settings


class Model(GraphModel):
    def __init__(self, settings: Settings, train: Interactions, **shared: Any) -> None:
        super().__init__(settings, train, **shared)
        self._widths = [settings.embedding_dimension, *settings.layers]
        self._sums, self._products = (
            [
                self.add_weight(
                    name=f"{name}_{place}",
                    shape=self._widths[place : place + 2],
                    initializer="glorot_uniform",
                )
                for place in range(len(settings.layers))
            ]
            for name in ("sums", "products")
        )
        self.build_sharing()

    @property
    def dimension(self) -> int:
        return sum(self._widths)

    def hops(self, seed: tf.Tensor = NO_SEED, training: bool = False) -> list[tf.Tensor]:
        """E^(0), E^(1), ..."""
        nodes = tf.convert_to_tensor(self._nodes)
        hops = [nodes]
        for place in range(len(self._sums)):
            sent = nodes
            if training and self._settings.node_dropout:
                sent = self._drop_nodes(
                    nodes, tf.random.experimental.stateless_fold_in(seed, place)
                )
            nodes = self.next_hop(nodes, self._adjacent(sent), place)
            if training and self._settings.message_dropout:
                own = tf.random.experimental.stateless_fold_in(seed, -1 - place)
                rate = self._settings.message_dropout
                nodes = tf.nn.experimental.stateless_dropout(nodes, rate, own)
            hops.append(nodes)
        return hops

    def next_hop(self, own: tf.Tensor, received: tf.Tensor, place: int) -> tf.Tensor:
        """E^(l + 1) = LeakyReLU((L + I) E^(l) W_1 + (L E^(l) * E^(l)) W_2)."""
        of_sum = product(received + own, self._sums[place])
        return tf.nn.leaky_relu(of_sum + product(received * own, self._products[place]))

    def combined(self, hops: list[tf.Tensor]) -> tf.Tensor:
        return tf.concat(hops, axis=1)

    def compared(self, vectors: tf.Tensor) -> tf.Tensor:
        first, *propagated = tf.split(vectors, self._widths, axis=1)
        units = [tf.math.l2_normalize(each, axis=1) for each in propagated]
        return tf.concat([first, *units], axis=1)

    def _drop_nodes(self, nodes: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        rate, shape = self._settings.node_dropout, [tf.shape(nodes)[0], 1]
        return tf.nn.experimental.stateless_dropout(nodes, rate, seed, noise_shape=shape)
