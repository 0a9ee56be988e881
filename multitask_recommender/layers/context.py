"""Features of the event itself (its hour, its place, its category) as vectors."""

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from multitask_recommender.interactions import Feature
from multitask_recommender.layers.features import FeatureVectors, Stddev


class Context(tf.keras.layers.Layer):
    """A batch's columns -> a vector [B, D] for each of its context features, see FeatureVectors.

    A code that no training row has is unknown: it is read as 0, missing, in whatever is scored.

    Args:
      learnt: the context of the training events.
      names: of the features that are read.
      dimension, stddev: of the tables, and of their initial values.
    """

    def __init__(
        self,
        learnt: Mapping[str, Feature],
        names: Sequence[str],
        dimension: int,
        stddev: Stddev = 0.05,
    ) -> None:
        super().__init__(name="context")
        self._known_codes = {name: _known_codes(learnt[name]) for name in names}
        self._vectors = {
            name: FeatureVectors(name, learnt[name], dimension, stddev) for name in names
        }

    def call(self, features: Mapping[str, tf.Tensor]) -> list[tf.Tensor]:
        vectors = []
        for name, layer in self._vectors.items():
            values, known = features[name], self._known_codes[name]
            vectors.append(layer(values if known is None else tf.gather(known, values)))
        return vectors


def _known_codes(learnt: Feature) -> tf.Tensor | None:
    """[V + 1], of every code what it is read as: itself or 0; None where all are read as is."""
    if not learnt.is_categorical:
        return None
    codes = np.arange(len(learnt.vocabulary) + 1, dtype=np.int32)
    met = np.bincount(learnt.values.ravel(), minlength=len(codes)) > 0
    return None if met[1:].all() else tf.constant(np.where(met, codes, 0), tf.int32)
