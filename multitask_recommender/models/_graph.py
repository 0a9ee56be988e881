"""What models share that propagate vectors over the graph of training interactions."""

import abc
import dataclasses
from typing import Any, Literal

import numpy as np
import tensorflow as tf

from multitask_recommender import graph, histories
from multitask_recommender.batches import NO_SEED, STEP_SEED
from multitask_recommender.interactions import Interactions
from multitask_recommender.layers.heads import PairShape
from multitask_recommender.layers.history import sum_distinct
from multitask_recommender.layers.initial import Normal
from multitask_recommender.layers.item_table import MEAN, ItemTable
from multitask_recommender.layers.representation import Representation
from multitask_recommender.layers.retrieval_space import RetrievalSpace, log_popularity
from multitask_recommender.layers.rows import keyed, take_rows
from multitask_recommender.layers.sparse_product import SymmetricProduct
from multitask_recommender.layers.weight_decay import WeightDecay
from multitask_recommender.models._base import Features, MultiTaskModel
from multitask_recommender.models._queries import distinct_queries, lines_of
from multitask_recommender.models._scorer import Scorer
from multitask_recommender.models.settings._graph import GraphSettings
from multitask_recommender.schema import ITEM_ID, PAD, TOLD_HISTORY, USER_ID


class GraphModel(MultiTaskModel):
    """All tasks read the propagated vectors of users and items, which a step makes once.

    The propagation costs the same for every batch, so that batches want to be large.
    """

    _widths: list[int]  # of nodes at each hop, set by subclasses

    def __init__(self, settings: GraphSettings, train: Interactions, **shared: Any) -> None:
        super().__init__(settings, train, **shared)
        self._settings = settings
        self.orders_by_history = True
        self._num_user_rows = train.num_users + 1
        positive = settings.graph_positive
        if positive is None and self.retrieval is not None:
            positive = self.retrieval.positive
        edges = graph.normalised_adjacency(train, train.positives(positive))
        self._adjacent = SymmetricProduct(edges)
        degrees = np.diff(edges.indptr)[self._num_user_rows :]
        self._item_scale = 1.0 / np.sqrt(np.maximum(degrees, 1)).astype(np.float32)  # [I + 1]
        self._frozen: _Tables | None = None
        self._nodes = self.add_weight(
            name="nodes",
            shape=[graph.num_nodes(train), settings.embedding_dimension],
            initializer=_initial_nodes(settings.initial_stddev, self._num_user_rows),
        )
        keyed(self._nodes, train.users.vocabulary, train.items.vocabulary)
        item_counts = histories.counts(train.item_ids, train.num_items)
        user_counts = histories.counts(train.user_ids, train.num_users)
        self._decay = WeightDecay(np.append(user_counts, item_counts), settings.l2_power)
        biases = log_popularity(item_counts) if settings.item_bias else None
        self._space = RetrievalSpace(
            biases, settings.normalise, self.retrieval, train.items.vocabulary
        )

    @property
    @abc.abstractmethod
    def dimension(self) -> int:
        """Of propagated vectors, P."""

    @abc.abstractmethod
    def hops(self, seed: tf.Tensor = NO_SEED, training: bool = False) -> list[tf.Tensor]:
        """All nodes before any propagation and after each, [U + 1 + I + 1, *] each."""

    @abc.abstractmethod
    def next_hop(self, own: tf.Tensor, received: tf.Tensor, place: int) -> tf.Tensor:
        """Nodes [n, *] after propagation `place`, in which they receive [n, *] of neighbours."""

    @abc.abstractmethod
    def combined(self, hops: list[tf.Tensor]) -> tf.Tensor:
        """The vectors of nodes that tasks read, [n, P], of what they were at each hop."""

    @property
    def reads_told_history(self) -> bool:
        return True

    def propagate(self, seed: tf.Tensor = NO_SEED, training: bool = False) -> tf.Tensor:
        """All nodes after their propagation, [U + 1 + I + 1, P]."""
        return self.combined(self.hops(seed, training))

    def freeze_own(self) -> None:
        """Keeps the propagated vectors and what folds a history in, in place of the graph."""
        tables = self._tables({TOLD_HISTORY: None})
        users, own = (tf.Variable(each, trainable=False) for each in (tables.users, tables.own))
        self._item_tables = [ItemTable(each, MEAN) for each in (tables.items, tables.sent)]
        items, sent = (table.rows for table in self._item_tables)
        self._frozen = _Tables(users, items, own, sent)

    def compared(self, vectors: tf.Tensor) -> tf.Tensor:
        """What retrieval compares of propagated vectors [n, P], [n, P]."""
        return vectors

    @property
    def pair_shape(self) -> PairShape:
        return PairShape(vectors=self.dimension, fields=0)

    def encode(
        self, features: Features, candidate_ids: tf.Tensor, training: bool
    ) -> Representation:
        tables = self._tables(features, training)
        user_ids, query_rows = distinct_queries(features)
        users = self._read_users(tables, user_ids, features)
        items = take_rows(tables.items, candidate_ids)
        return Representation(
            queries=self._space.queries(self.compared(users)),
            candidates=self._space.items(self.compared(items), candidate_ids),
            query_rows=query_rows,
            query_lines=lines_of(features),
            candidate_rows=tf.searchsorted(candidate_ids, features[ITEM_ID]),
            ranking_queries=users,
            ranking_candidates=items,
            shared=(users, items),
            along_candidates=(items,),
            penalty=self._penalty(features) if training else 0.0,
        )

    def embed_queries(self, features: Features) -> tf.Tensor:
        users = self._read_users(self._tables(features), features[USER_ID], features)
        return self._space.queries(self.compared(users))

    def embed_items(self, ids: tf.Tensor) -> tf.Tensor:
        items = take_rows(self._tables({}).items, ids)
        return self._space.items(self.compared(items), ids)

    def scorer(self, vectors: Literal["float32", "float16"] = "float32") -> Scorer:
        return _GraphScorer(self, self._num_user_rows, vectors)

    def _tables(self, features: Features, training: bool = False) -> "_Tables":
        """What a batch reads of the nodes."""
        if self._frozen is not None:
            return self._frozen
        hops = self.hops(features.get(STEP_SEED, NO_SEED), training)
        nodes = self.combined(hops)
        own = sent = None
        if TOLD_HISTORY in features:
            (own, _), sent = self._split(hops[0]), self._sent(hops)
        return _Tables(*self._split(nodes), own, sent)

    def _read_users(self, tables: "_Tables", ids: tf.Tensor, features: Features) -> tf.Tensor:
        """Users [Q, P]; who is told of by a history, as a node whose neighbours these items are."""
        users = tf.gather(tables.users, ids)
        if TOLD_HISTORY not in features:
            return users
        told = features[TOLD_HISTORY]
        hops = [tf.gather(tables.own, ids)]
        received = tf.split(sum_distinct(tables.sent, told), [0, *self._widths[:-1]], axis=1)
        for place, each in enumerate(received[1:]):
            hops.append(self.next_hop(hops[-1], each, place))
        is_told = tf.reduce_any(told != PAD, axis=1, keepdims=True)
        return tf.where(is_told, self.combined(hops), users)

    def _sent(self, hops: list[tf.Tensor]) -> tf.Tensor:
        """What items send to a user at every hop, but for the root of his degree, [I + 1, *]."""
        items = [self._split(each)[1] for each in hops]
        items = tf.concat([items[0][:, :0], *items[:-1]], axis=1)  # without hops nothing is sent
        return items * self._item_scale[:, None]

    def _split(self, nodes: tf.Tensor) -> list[tf.Tensor]:
        """Of nodes in their order, the users [U + 1, *] and the items [I + 1, *].

        Not by two slices: the gradient of each would be padded to all nodes, and both added.
        """
        return tf.split(nodes, [self._num_user_rows, -1])

    def _penalty(self, features: Features) -> tf.Tensor | float:
        """Weight decay of the nodes that the batch's events [B] are of."""
        if not self._settings.l2:
            return 0.0
        users, items = features[USER_ID], features[ITEM_ID] + self._num_user_rows
        return self._settings.l2 * (
            self._decay(self._nodes, users) + self._decay(self._nodes, items)
        )


@dataclasses.dataclass(frozen=True)
class _Tables:
    """What is read of propagated nodes; tensors, or variables once the model is frozen."""

    users: tf.Tensor  # [U + 1, P]
    items: tf.Tensor  # [I + 1, P]
    own: tf.Tensor | None = None  # users before any propagation, [U + 1, D]; for told histories
    sent: tf.Tensor | None = None  # see `_sent`


class _GraphScorer(Scorer):
    """Users are propagated once too, not at every block of them."""

    def __init__(self, model: GraphModel, num_users: int, vectors: str) -> None:
        super().__init__(model, vectors)
        self._queries = None
        if model.retrieval is not None:
            self._queries = model.traced_queries({USER_ID: tf.range(num_users)}).numpy()

    def embed(self, features: Features) -> np.ndarray:
        if TOLD_HISTORY in features:
            return super().embed(features)
        return self._queries[features[USER_ID].numpy()]


def _initial_nodes(stddev: float, first_item_row: int) -> Any:
    """Normal, but for the two unknowns, which are nothing."""

    def initialise(shape: tf.TensorShape, dtype: tf.DType = tf.float32, **_: Any) -> tf.Tensor:
        values = Normal(stddev=stddev)(shape, dtype)
        unknown = tf.constant([[0], [first_item_row]])
        return tf.tensor_scatter_nd_update(values, unknown, tf.zeros([2, shape[1]], dtype))

    return initialise
