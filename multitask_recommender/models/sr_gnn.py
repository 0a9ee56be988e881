"""SR-GNN: a session as a graph of what was clicked after what, read by a gated network.

Wu et al., "Session-based Recommendation with Graph Neural Networks", AAAI 2019. A gated graph layer
(Li et al., "Gated Graph Sequence Neural Networks", ICLR 2016) passes messages along and against the
clicks; soft attention of the last item over all of them, and the last item itself, make the state.

Differs from the paper: an edge that is gone along again counts once. All graphs of a batch are one
graph with as many parts, whose nodes, edges and attention are sums by segment, so that no session
pays for the length of another.
"""

import dataclasses
from typing import Any

import tensorflow as tf

from multitask_recommender.interactions import Interactions
from multitask_recommender.models._session import Read, SessionModel
from multitask_recommender.models.settings.sr_gnn import Settings


@dataclasses.dataclass(frozen=True)
class _Graph:
    """The session graphs of Q queries: L clicks of M nodes, a node being an item of a query."""

    clicks: tf.Tensor  # int [L, 2]: the history and the place in it of each click
    queries: tf.Tensor  # int [L], ascending: whose click it is
    nodes: tf.Tensor  # int [L]: which node was clicked
    first: tf.Tensor  # int [M]: a click of each node
    sources: tf.Tensor  # int [E]: nodes from which a next click came, of distinct edges
    targets: tf.Tensor  # int [E]: and to which it went


class Model(SessionModel):
    def __init__(self, settings: Settings, train: Interactions, **shared: Any) -> None:
        super().__init__(settings, train, **shared)
        size = settings.embedding_dimension
        self._steps = settings.steps
        self._out, self._in = tf.keras.layers.Dense(size), tf.keras.layers.Dense(size)
        self._cell = tf.keras.layers.GRUCell(size)
        self._of_last = tf.keras.layers.Dense(size)
        self._of_each = tf.keras.layers.Dense(size, use_bias=False)
        self._attention = tf.keras.layers.Dense(1, use_bias=False)
        self._state = tf.keras.layers.Dense(size, use_bias=False)
        self.build_sharing()

    def states(self, vectors: tf.Tensor, read: Read, users: tf.Tensor | float) -> tf.Tensor:
        graph = _graph(read)
        number = tf.size(read.rows)
        nodes = tf.gather_nd(vectors, tf.gather(graph.clicks, graph.first))  # [M, D]
        for _ in range(self._steps):
            nodes = self._passed(nodes, graph)
        clicked = tf.gather(nodes, graph.nodes)  # [L, D]
        # The last click of each query: 0 for those that have read nothing.
        is_last = graph.clicks[:, 1] == tf.gather(read.lengths, graph.queries) - 1
        last = tf.math.unsorted_segment_sum(
            tf.boolean_mask(clicked, is_last), tf.boolean_mask(graph.queries, is_last), number
        )  # [Q, D]
        of_last = tf.gather(self._of_last(last), graph.queries)
        weights = self._attention(tf.sigmoid(of_last + self._of_each(clicked)))  # [L, 1]
        total = tf.math.unsorted_segment_sum(weights * clicked, graph.queries, number)
        return self._state(tf.concat([last, total], axis=1)) + users

    def _passed(self, nodes: tf.Tensor, graph: _Graph) -> tf.Tensor:
        """Nodes [M, D] after one step: of each, the means of what follows and what leads to it."""
        number = tf.shape(nodes)[0]
        out, into = (
            tf.math.unsorted_segment_mean(tf.gather(layer(nodes), senders), receivers, number)
            for layer, senders, receivers in (
                (self._out, graph.targets, graph.sources),
                (self._in, graph.sources, graph.targets),
            )
        )
        return self._cell(tf.concat([out, into], axis=1), [nodes])[0]


def _graph(read: Read) -> _Graph:
    width = tf.shape(read.items)[1]
    clicks = tf.where(tf.range(width) < read.lengths[:, None])  # [L, 2]: query and place
    queries = tf.cast(clicks[:, 0], tf.int32)
    places = tf.stack([tf.gather(read.rows, queries), tf.cast(clicks[:, 1], tf.int32)], axis=1)
    items = tf.cast(tf.gather_nd(read.items, places), tf.int64)
    # An item of a query is a node, however often it was clicked.
    of_items = tf.reduce_max(read.items) + 1
    keys, nodes = tf.unique(clicks[:, 0] * tf.cast(of_items, tf.int64) + items)
    number = tf.size(keys)
    first = tf.math.unsorted_segment_min(tf.range(tf.size(nodes)), nodes, number)
    follows = queries[1:] == queries[:-1]  # the next click is of the same query
    edges = tf.cast(nodes[:-1], tf.int64) * tf.cast(number, tf.int64) + tf.cast(nodes[1:], tf.int64)
    edges = tf.unique(tf.boolean_mask(edges, follows)).y
    sources, targets = (
        tf.cast(each, tf.int32)
        for each in (edges // tf.cast(number, tf.int64), edges % tf.cast(number, tf.int64))
    )
    return _Graph(places, queries, nodes, first, sources, targets)
