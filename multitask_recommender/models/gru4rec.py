"""GRU4Rec: a gated recurrent network reads a session click by click; its state ranks the next one.

Hidasi et al., "Session-based Recommendations with Recurrent Neural Networks", ICLR 2016; Hidasi and
Karatzoglou, "Recurrent Neural Networks with Top-k Gains for Session-based Recommendations", CIKM
2018. Their losses are those of `tasks.retrieval`: softmax over all items or over drawn ones
(`negatives: drawn`, by popularity to a power) with logQ correction, and `loss: bpr_max`.

Differs from the papers: whole sessions are read at once, every place a target, not one step of
parallel sessions at a time with a state that is cut from its past; item vectors are tied unless
`tied: false`.
"""

from typing import Any

import tensorflow as tf

from multitask_recommender.interactions import Interactions
from multitask_recommender.layers.packed_gru import PackedGRU
from multitask_recommender.layers.precision import Dense
from multitask_recommender.models._session import Read, SessionModel
from multitask_recommender.models.settings.gru4rec import Settings
from multitask_recommender.schema import PAD


class Model(SessionModel):
    def __init__(self, settings: Settings, train: Interactions, **shared: Any) -> None:
        super().__init__(settings, train, **shared)
        self._layers = [PackedGRU(units) for units in settings.layers]
        self._projection = None
        if settings.layers[-1] != settings.embedding_dimension:
            self._projection = Dense(settings.embedding_dimension, use_bias=False)
        self.build_sharing()

    def states(self, vectors: tf.Tensor, read: Read, users: tf.Tensor | float) -> tf.Tensor:
        lengths = tf.math.count_nonzero(read.items != PAD, axis=1, dtype=tf.int32)
        for layer in self._layers:
            vectors = layer(vectors, lengths)
        # Before the first click the state is 0, as that of the network is.
        states = tf.pad(vectors, [[0, 0], [1, 0], [0, 0]])  # [S, T + 1, units]
        states = tf.gather_nd(states, tf.stack([read.rows, read.lengths], axis=1))
        if self._projection is not None:
            states = self._projection(states)
        return states + users
