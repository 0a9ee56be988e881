"""SR-GNN: a session as a graph of what was clicked after what, read by a gated network.

Wu et al., "Session-based Recommendation with Graph Neural Networks", AAAI 2019. A gated graph layer
(Li et al., "Gated Graph Sequence Neural Networks", ICLR 2016) passes messages along and against the
clicks; soft attention of the last item over all of them, and the last item itself, make the state.

Differs from the paper: an edge that is gone along again counts once. All graphs of a batch are one
graph with as many parts, whose nodes, edges and attention are sums by segment, so that no session
pays for the length of another. Prefixes of one session share what they have in common: a click
changes what two nodes receive, so the first step computes that of each node once for all prefixes
between two changes.
"""

import dataclasses
from typing import Any

import tensorflow as tf

from multitask_recommender.interactions import Interactions
from multitask_recommender.layers.precision import Dense, GRUCell
from multitask_recommender.models._session import Read, SessionModel
from multitask_recommender.models.settings.sr_gnn import Settings


@dataclasses.dataclass(frozen=True)
class _Groups:
    """n members in G groups."""

    of: tf.Tensor  # int [n]: the group of each member
    first: tf.Tensor  # int [G]: the first member of each

    @property
    def number(self) -> tf.Tensor:
        return tf.size(self.first)


@dataclasses.dataclass(frozen=True)
class _Graph:
    """The session graphs of Q queries: L clicks of M nodes, a node being an item of a query."""

    queries: tf.Tensor  # int [L], ascending: whose click it is
    is_last: tf.Tensor  # bool [L]: whether it is the last of the query
    nodes: tf.Tensor  # int [L]: which node was clicked
    places: tf.Tensor  # int [M, 2]: the history of each node, and where its first click is
    sources: tf.Tensor  # int [E]: nodes from which a next click came, of distinct edges
    targets: tf.Tensor  # int [E]: and to which it went
    items: _Groups  # of nodes that are one item of a history
    neighbourhoods: _Groups  # and of those among them that have the same edges


class Model(SessionModel):
    def __init__(self, settings: Settings, train: Interactions, **shared: Any) -> None:
        super().__init__(settings, train, **shared)
        size = settings.embedding_dimension
        self._steps = settings.steps
        self._out, self._in = Dense(size), Dense(size)
        self._cell = GRUCell(size)
        self._of_last = Dense(size)
        self._of_each = Dense(size, use_bias=False)
        self._attention = tf.keras.layers.Dense(1, use_bias=False)
        self._state = Dense(size, use_bias=False)
        self.build_sharing()

    def states(self, vectors: tf.Tensor, read: Read, users: tf.Tensor | float) -> tf.Tensor:
        graph = _graph(read)
        number = tf.size(read.rows)
        alike = graph.items  # which nodes have the same vector
        nodes = tf.gather_nd(vectors, tf.gather(graph.places, alike.first))
        for step in range(self._steps):
            after = _group(tf.range(tf.size(alike.of))) if step else graph.neighbourhoods
            nodes, alike = self._passed(nodes, graph, alike, after), after
        places = tf.gather(alike.of, graph.nodes)
        clicked = tf.gather(nodes, places)  # [L, D]
        # The last click of each query: 0 for those that have read nothing.
        last = tf.math.unsorted_segment_sum(
            tf.boolean_mask(clicked, graph.is_last),
            tf.boolean_mask(graph.queries, graph.is_last),
            number,
        )  # [Q, D]
        mixed = tf.gather(self._of_last(last), graph.queries)
        mixed += tf.gather(self._of_each(nodes), places)
        weights = self._attention(tf.sigmoid(mixed))  # [L, 1]
        total = tf.math.unsorted_segment_sum(weights * clicked, graph.queries, number)
        return self._state(tf.concat([last, total], axis=1)) + users

    def _passed(
        self, nodes: tf.Tensor, graph: _Graph, before: _Groups, after: _Groups
    ) -> tf.Tensor:
        """Vectors after one step, a group each: of the means of what follows and what leads to it.

        nodes [G, D] are those of the groups before it; a group after it is a part of one of them.
        """
        told = []
        for layer, senders, receivers in (
            (self._out, graph.targets, graph.sources),
            (self._in, graph.sources, graph.targets),
        ):
            groups = tf.gather(after.of, receivers)
            is_first = tf.gather(after.first, groups) == receivers  # what one is told, all are
            senders = tf.gather(before.of, tf.boolean_mask(senders, is_first))
            messages = tf.gather(layer(nodes), senders)
            groups = tf.boolean_mask(groups, is_first)
            told.append(tf.math.unsorted_segment_mean(messages, groups, after.number))
        own = tf.gather(nodes, tf.gather(before.of, after.first))
        return self._cell(tf.concat(told, axis=1), [own])[0]


def _graph(read: Read) -> _Graph:
    width = tf.shape(read.items)[1]
    clicks = tf.where(tf.range(width) < read.lengths[:, None])  # [L, 2]: query and place
    queries, places = tf.unstack(tf.cast(clicks, tf.int32), axis=1)
    is_last = places == tf.gather(read.lengths, queries) - 1
    rows = tf.gather(read.rows, queries)
    items = tf.gather_nd(read.items, tf.stack([rows, places], axis=1))
    # An item of a query is a node, however often it was clicked.
    nodes = _group(_pair(queries, items, tf.reduce_max(read.items) + 1))
    goes_on = tf.squeeze(tf.where(~is_last[:-1]), axis=1)
    sources, targets = tf.gather(nodes.of, goes_on), tf.gather(nodes.of, goes_on + 1)
    edges = _group(_pair(sources, targets, nodes.number)).first
    # The edges of a node are those around its clicks: up to the last, and past it if that goes on.
    last = tf.math.unsorted_segment_max(tf.range(tf.size(places)), nodes.of, nodes.number)
    clicks = rows * width + places  # their numbers, whichever query reads them
    ends = 2 * tf.gather(clicks, last) + tf.cast(tf.gather(is_last, last), tf.int32)
    return _Graph(
        queries,
        is_last,
        nodes.of,
        places=tf.gather(tf.stack([rows, places], axis=1), nodes.first),
        sources=tf.gather(sources, edges),
        targets=tf.gather(targets, edges),
        items=_group(tf.gather(clicks, nodes.first)),
        neighbourhoods=_group(ends),
    )


def _group(keys: tf.Tensor) -> _Groups:
    distinct, of = tf.unique(keys)
    members = tf.range(tf.size(keys))
    return _Groups(of, tf.math.unsorted_segment_min(members, of, tf.size(distinct)))


def _pair(one: tf.Tensor, other: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Numbers, int64, of pairs of integers, the second of which are below `others`."""
    one, other, others = (tf.cast(each, tf.int64) for each in (one, other, others))
    return one * others + other
