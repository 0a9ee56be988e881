"""An ensemble of models as one model of products, to be exported.

A weighted sum of standardised scores is one dot product. With q the query's vector of a member, i
an item's, m their mean over the items and C their covariance, the standardised score is

    (q.i - q.m) / sqrt(q' C q) = (q / sqrt(q' C q)) . (i - m)

so queries are divided by a norm of their own, items are centred, and vectors of members that are
multiplied by the root of their weight stand side by side. What a member gives to a stranger, the
popular items, is one more coordinate. Every index and every server reads that as it reads a model.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from multitask_recommender.ensembles import fusion
from multitask_recommender.ensembles.fused import Fused
from multitask_recommender.ensembles.recipe import Blend
from multitask_recommender.evaluation.labels import RATING
from multitask_recommender.histories import Recent
from multitask_recommender.layers.item_table import UNMET, ItemTable
from multitask_recommender.schema import HISTORY, TOLD_FEATURE, TOLD_HISTORY, USER_ID

Features = dict[str, tf.Tensor]


class Product:
    """What an export asks of a model (models/_base.py), of several.

    Args:
      models: the members.
      blends: by task, with a weight for each member.
      fused: the same ensemble, as evaluation sees it.
      kinds: of labels, "binary" or "rating".
    """

    def __init__(
        self,
        models: Sequence[Any],
        blends: Mapping[str, Blend],
        fused: Fused,
        kinds: Mapping[str, str],
    ) -> None:
        self._models, self._blends, self._fused, self._kinds = models, blends, fused, kinds
        first = models[0]
        self.num_items, self.met_users = first.num_items, first.met_users
        self.ranking = {
            label: next(model.ranking[label] for model in models if label in model.ranking)
            for label in kinds
            if label in blends
        }
        self.retrieval = next(filter(None, (model.retrieval for model in models)), None)
        self.popularity, self.unmet, self._parts = first.popularity, first.unmet, []
        if self.retrieval is not None:
            weights = blends[self.retrieval.name].weights
            pairs = [pair for pair in zip(models, weights, strict=True) if pair[1]]
            first = pairs[0][0]
            mean, deviation = first.popularity.mean(), first.popularity.std() or 1.0
            self.popularity = fusion.standardised(first.popularity[None])[0]
            self.unmet = (first.unmet - mean) / deviation
            self._parts = [_Part.of(model, weight) for model, weight in pairs]
        padded = np.append(np.float32(0), self.popularity)
        self._popular = tf.Variable(padded, trainable=False, name="popular")  # [I + 1]
        self.recent = next(filter(None, (model.recent for model in models)), None)
        self.reads_told_history = any(model.reads_told_history for model in models)
        self.orders_by_history = any(model.orders_by_history for model in models)
        self.user_features = sorted({name for model in models for name in model.user_features})
        self.context_names = tuple(
            dict.fromkeys(name for model in models for name in model.context_names)
        )

    @property
    def bias_coordinates(self) -> int:
        """How many of the last coordinates are no part of what items are like."""
        return 1 + sum(part.model.bias_coordinates for part in self._parts)

    def embed_queries(self, features: Features) -> tf.Tensor:
        """Retrieval vectors of queries [Q, D]."""
        vectors, biases, popular = [], [], 0.0
        for part in self._parts:
            own = _own(part.model, features)
            is_told = tf.cast(part.model.is_told_of(own), tf.float32)[:, None]
            vector = part.queries(part.model.embed_queries(own)) * is_told
            self._append(part, vector, vectors, biases)
            popular += part.weight * (1.0 - is_told)
        return tf.concat([*vectors, *biases, popular], axis=1)

    def embed_items(self, ids: tf.Tensor) -> tf.Tensor:
        """Retrieval vectors of items [n, D]."""
        vectors, biases = [], []
        for part in self._parts:
            self._append(part, part.items(part.model.embed_items(ids)), vectors, biases)
        return tf.concat([*vectors, *biases, tf.gather(self._popular, ids)[:, None]], axis=1)

    def predictions(self, features: Features) -> Features:
        """{label: probabilities or stars [B]} of pairs."""
        said = [model.predictions(_own(model, features)) for model in self._models]
        return {
            label: _fused(self._blends[label], [each.get(label) for each in said], kind)
            for label, kind in self._kinds.items()
            if label in self.ranking
        }

    def is_told_of(self, features: Features) -> tf.Tensor:
        """Of which queries [Q] any of the members that retrieve knows something."""
        models = [part.model for part in self._parts] or self._models
        told = [model.is_told_of(_own(model, features)) for model in models]
        return tf.reduce_any(tf.stack(told), axis=0)

    def features_of(self, queries: Mapping[str, np.ndarray]) -> Features:
        """What `embed_queries` reads of some queries."""
        features = {USER_ID: tf.constant(queries[USER_ID])}
        if self.recent is not None:
            features[HISTORY] = tf.constant(self.recent.before(queries))
        if self.reads_told_history and HISTORY in queries:
            features[TOLD_HISTORY] = tf.constant(queries[HISTORY])
        return features

    def freeze(self) -> None:
        for model in self._models:
            model.freeze()
        self._popular_items = ItemTable(self._popular, UNMET)
        self._popular = self._popular_items.rows

    @property
    def item_tables(self) -> Sequence[ItemTable]:
        """Of a frozen ensemble."""
        own = [table for model in self._models for table in model.item_tables]
        return [*own, self._popular_items]

    def scorer(self) -> "Scorer":
        return Scorer(self, self._fused)

    @staticmethod
    def _append(part: "_Part", vector: tf.Tensor, vectors: list, biases: list) -> None:
        """Biases stand apart from what items are like."""
        width = vector.shape[1] - part.model.bias_coordinates
        vectors.append(vector[:, :width])
        biases.append(vector[:, width:])


class Scorer:
    """Vectors of the product; scores and predictions as the ensemble has them without it."""

    def __init__(self, product: Product, fused: Fused) -> None:
        self._product = product
        self.score_block, self.rank = fused.score_block, fused.rank
        self.items: np.ndarray | None = None
        if product.retrieval is not None:
            self.items = product.embed_items(tf.range(1, product.num_items + 1)).numpy()

    def embed(self, features: Features) -> np.ndarray:
        return self._product.embed_queries(features).numpy()


@dataclasses.dataclass(frozen=True)
class _Part:
    """A member that retrieves: what is done to its vectors so that products are standardised."""

    model: Any
    weight: float
    mean: tf.Variable  # of item vectors [1, D]
    root: tf.Variable  # [D, *]: the length of q @ root is the deviation of q's scores
    size: float  # of a centred item vector

    @classmethod
    def of(cls, model: Any, weight: float) -> "_Part":
        items = model.traced_items(tf.range(1, model.num_items + 1)).numpy().astype(np.float64)
        mean = items.mean(axis=0, keepdims=True)
        # Of the vectors, not of their covariance, whose small values drown in rounding.
        root = np.linalg.qr(items - mean, mode="r").T / np.sqrt(len(items))
        size = float(np.linalg.norm(root)) or 1.0
        mean, root = (
            tf.Variable(each.astype(np.float32), trainable=False) for each in (mean, root)
        )
        return cls(model, weight, mean, root, size)

    def queries(self, vectors: tf.Tensor) -> tf.Tensor:
        deviations = tf.norm(vectors @ self.root, axis=1, keepdims=True)
        scale = np.float32(np.sqrt(self.weight) * self.size)
        return scale * tf.math.divide_no_nan(vectors, deviations)

    def items(self, vectors: tf.Tensor) -> tf.Tensor:
        return np.float32(np.sqrt(self.weight) / self.size) * (vectors - self.mean)


def _own(model: Any, features: Features) -> Features:
    """Without what other members read of users."""
    left_out = set()
    if model.recent is None:
        left_out.add(HISTORY)
    if not model.reads_told_history:
        left_out.add(TOLD_HISTORY)
    told = {f"{TOLD_FEATURE}{name}" for name in model.user_features}
    return {
        name: value
        for name, value in features.items()
        if name not in left_out and (name in told or not name.startswith(TOLD_FEATURE))
    }


def _fused(blend: Blend, members: Sequence[tf.Tensor | None], kind: str) -> tf.Tensor:
    """fusion.stars and fusion.probability in a graph."""
    parts = [
        weight * (each if kind == RATING else _logits(each))
        for weight, each in zip(blend.weights, members, strict=True)
        if weight and each is not None
    ]
    total = tf.add_n(parts) + blend.intercept
    return total if kind == RATING else tf.sigmoid(total)


def _logits(probabilities: tf.Tensor) -> tf.Tensor:
    sure = tf.clip_by_value(probabilities, fusion.SUREST, 1 - fusion.SUREST)
    return tf.math.log(sure) - tf.math.log1p(-sure)


def recents_differ(models: Sequence[Any]) -> list[Recent]:
    """What models read of latest events, where that is not the same of all that do."""
    recents = [model.recent for model in models if model.recent is not None]
    kinds = {(recent.length, recent.positive) for recent in recents}
    return recents if len(kinds) > 1 else []
