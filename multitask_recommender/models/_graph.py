"""What models share that propagate vectors over the graph of training interactions."""

import abc
from typing import Any

import numpy as np
import tensorflow as tf

from multitask_recommender import graph, histories
from multitask_recommender.batches import NO_SEED, STEP_SEED
from multitask_recommender.interactions import Interactions
from multitask_recommender.layers.heads import PairShape
from multitask_recommender.layers.representation import Representation
from multitask_recommender.layers.retrieval_space import RetrievalSpace, log_popularity
from multitask_recommender.layers.rows import take_rows
from multitask_recommender.layers.sparse_product import SymmetricProduct
from multitask_recommender.layers.weight_decay import WeightDecay
from multitask_recommender.models._base import Features, MultiTaskModel, Scorer
from multitask_recommender.models.settings._graph import GraphSettings
from multitask_recommender.schema import ITEM_ID, USER_ID


class GraphModel(MultiTaskModel):
    """All tasks read the propagated vectors of users and items, which a step makes once.

    The propagation costs the same for every batch, so that batches want to be large.
    """

    def __init__(self, settings: GraphSettings, train: Interactions, **shared: Any) -> None:
        super().__init__(**shared)
        self.num_items = train.num_items
        self._settings = settings
        self._num_user_rows = train.num_users + 1
        positive = settings.graph_positive
        if positive is None and self.retrieval is not None:
            positive = self.retrieval.positive
        edges = graph.normalised_adjacency(train, train.positives(positive))
        self._adjacent = SymmetricProduct(edges)
        self._nodes = self.add_weight(
            name="nodes",
            shape=[graph.num_nodes(train), settings.embedding_dimension],
            initializer=_initial_nodes(settings.initial_stddev, self._num_user_rows),
        )
        item_counts = histories.counts(train.item_ids, train.num_items)
        user_counts = histories.counts(train.user_ids, train.num_users)
        self._decay = WeightDecay(np.append(user_counts, item_counts), settings.l2_power)
        biases = log_popularity(item_counts) if settings.item_bias else None
        self._space = RetrievalSpace(biases, settings.normalise, self.retrieval)

    @property
    @abc.abstractmethod
    def dimension(self) -> int:
        """Of propagated vectors, P."""

    @abc.abstractmethod
    def propagate(self, seed: tf.Tensor = NO_SEED, training: bool = False) -> tf.Tensor:
        """All nodes after their propagation, [U + 1 + I + 1, P]."""

    def compared(self, vectors: tf.Tensor) -> tf.Tensor:
        """What retrieval compares of propagated vectors [n, P], [n, P]."""
        return vectors

    @property
    def pair_shape(self) -> PairShape:
        return PairShape(vectors=self.dimension, fields=0)

    def encode(
        self, features: Features, candidate_ids: tf.Tensor, training: bool
    ) -> Representation:
        nodes = self.propagate(features.get(STEP_SEED, NO_SEED), training)
        user_ids, query_rows = self.distinct_queries(features)
        users = tf.gather(self._users(nodes), user_ids)
        items = take_rows(self._items(nodes), candidate_ids)
        return Representation(
            queries=self._space.queries(self.compared(users)),
            candidates=self._space.items(self.compared(items), candidate_ids),
            query_rows=query_rows,
            candidate_rows=tf.searchsorted(candidate_ids, features[ITEM_ID]),
            ranking_queries=users,
            ranking_candidates=items,
            shared=(users, items),
            penalty=self._penalty(features) if training else 0.0,
        )

    def embed_queries(self, features: Features) -> tf.Tensor:
        users = tf.gather(self._users(self.propagate()), features[USER_ID])
        return self._space.queries(self.compared(users))

    def embed_items(self, ids: tf.Tensor) -> tf.Tensor:
        items = take_rows(self._items(self.propagate()), ids)
        return self._space.items(self.compared(items), ids)

    def scorer(self) -> Scorer:
        return _GraphScorer(self, self._num_user_rows)

    def _users(self, nodes: tf.Tensor) -> tf.Tensor:
        """Of nodes in their order, the users with the unknown one, [U + 1, ...]."""
        return nodes[: self._num_user_rows]

    def _items(self, nodes: tf.Tensor) -> tf.Tensor:
        """[I + 1, ...]."""
        return nodes[self._num_user_rows :]

    def _penalty(self, features: Features) -> tf.Tensor | float:
        """Weight decay of the nodes that the batch's events [B] are of."""
        if not self._settings.l2:
            return 0.0
        users, items = features[USER_ID], features[ITEM_ID] + self._num_user_rows
        return self._settings.l2 * (
            self._decay(self._nodes, users) + self._decay(self._nodes, items)
        )


class _GraphScorer(Scorer):
    """Users are propagated once too, not at every block of them."""

    def __init__(self, model: GraphModel, num_users: int) -> None:
        super().__init__(model)
        self._queries = None
        if model.retrieval is not None:
            self._queries = model.traced_queries({USER_ID: tf.range(num_users)}).numpy()

    def embed(self, queries: dict[str, np.ndarray]) -> np.ndarray:
        return self._queries[queries[USER_ID]]


def _initial_nodes(stddev: float, first_item_row: int) -> Any:
    """Normal, but for the two unknowns, which are nothing."""

    def initialise(shape: tf.TensorShape, dtype: tf.DType = tf.float32, **_: Any) -> tf.Tensor:
        values = tf.keras.initializers.RandomNormal(stddev=stddev)(shape, dtype)
        unknown = tf.constant([[0], [first_item_row]])
        return tf.tensor_scatter_nd_update(values, unknown, tf.zeros([2, shape[1]], dtype))

    return initialise
