"""YouTube DNN: the mean of what was watched, with user features, through a tower of ReLU layers.

Covington et al., "Deep Neural Networks for YouTube Recommendations", RecSys 2016, section 3:
candidate generation as a softmax over all items, of which some are drawn (`negatives: sampled`).

Differs from the paper: a linear layer after the last ReLU layer brings the tower to the width of
item vectors; there are no search tokens and no age of the example; user features are summed.
"""

from typing import Any

import tensorflow as tf

from multitask_recommender.interactions import Interactions
from multitask_recommender.layers.precision import Dense
from multitask_recommender.models._session import Read, SessionModel
from multitask_recommender.models.settings.youtube_dnn import Settings


class Model(SessionModel):
    def __init__(self, settings: Settings, train: Interactions, **shared: Any) -> None:
        super().__init__(settings, train, **shared)
        self._hidden = [Dense(units, "relu") for units in settings.hidden_layers]
        self._hidden.append(Dense(settings.embedding_dimension))
        self.build_sharing()

    def states(self, vectors: tf.Tensor, read: Read, users: tf.Tensor | float) -> tf.Tensor:
        sums = tf.pad(tf.cumsum(vectors, axis=1), [[0, 0], [1, 0], [0, 0]])
        sums = tf.gather_nd(sums, tf.stack([read.rows, read.lengths], axis=1))
        numbers = tf.maximum(tf.cast(read.lengths, tf.float32), 1.0)
        states = sums / numbers[:, None]
        if tf.is_tensor(users):
            states = tf.concat([states, users], axis=1)
        for layer in self._hidden:
            states = layer(states)
        return states
