"""Retrieve, leave out, rank and blend, in one graph: what the signatures of an export compute.

Candidates come from an index of the model's item vectors or, for requests of which nothing is known
and for models that only rank, from one of popularity. The sharing block and its heads score them;
answers are ordered by sum over tasks of weight_t * gain_t, where the gain of a label is its
probability, that of stars their place on a scale of 0..1, and that of retrieval its score.
"""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from multitask_recommender.export import checks
from multitask_recommender.export.frozen import Frozen
from multitask_recommender.export.known import Known, KnownTables
from multitask_recommender.export.query import FeatureInput, FeatureReader, Query, Reader
from multitask_recommender.export.settings import Settings
from multitask_recommender.export.vocabulary import Vocabulary
from multitask_recommender.layers.sums import in_order
from multitask_recommender.schema import NO_SCORE, PAD

Tensors = dict[str, tf.Tensor]
Search = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


@dataclasses.dataclass(frozen=True)
class Parts:
    """What a cascade is made of.

    index: of item vectors (index/), called with queries [B, D], a number and ids [B, X] to leave
      out; None for a model that only ranks.
    alike: what finds items by the cosine of their vectors, for queries of length one and 0 for the
      biases that `index` has; None too.
    popular: an index of popularity [I, 1].
    user_features, context: those of the user and of the event that are read, by the names of
      their inputs.
    """

    model: Frozen
    index: Search | None
    alike: Search | None
    popular: Search
    users: Vocabulary
    items: Vocabulary
    known: Known
    user_features: Mapping[str, FeatureInput]
    context: Mapping[str, FeatureInput]


class Cascade(tf.Module):
    """Inputs by name, all of B rows (signatures.py) -> outputs by name."""

    def __init__(self, parts: Parts, settings: Settings) -> None:
        super().__init__()
        self._model = parts.model
        self.index, self._alike, self._popular = parts.index, parts.alike, parts.popular
        self.items, self.known = parts.items, KnownTables(parts.known)
        self.context = {key: FeatureReader(each, key) for key, each in parts.context.items()}
        self.user_features = {
            key: FeatureReader(each, key) for key, each in parts.user_features.items()
        }
        self._read = Reader(
            parts.model, parts.users, parts.items, [*self.user_features.values()], self.known
        )
        self._num_items = parts.model.facts.num_items
        self._retrieve = min(settings.retrieve, self._num_items)

    @property
    def retrieves(self) -> bool:
        return self.index is not None

    def recommend(self, inputs: Tensors) -> Tensors:
        inputs = checks.checked_k(inputs, self._num_items)
        query = self._read(inputs)
        number = tf.maximum(self._retrieve, tf.reduce_max(inputs["k"]))
        scores, ids = self._candidates(query, number, self._excluded(query, inputs))
        # As many as the row itself asks for: what others of its batch want is not its matter.
        own = tf.range(number) < tf.maximum(self._retrieve, inputs["k"])[:, None]
        ids = tf.where(own, ids, PAD)
        predictions = self._predictions(query, ids, inputs)
        blended = self._blend(scores, predictions, inputs)
        return self._answers(blended, ids, predictions, inputs["k"]) | {"source": query.source}

    def retrieve(self, inputs: Tensors) -> Tensors:
        inputs = checks.checked_k(inputs, self._num_items)
        query = self._read(inputs)
        number = tf.reduce_max(inputs["k"])
        scores, ids = self._candidates(query, number, self._excluded(query, inputs))
        return self._answers(scores, ids, {}, inputs["k"]) | {"source": query.source}

    def rank(self, inputs: Tensors) -> Tensors:
        query = self._read(inputs)
        checks.check_ids("item_ids", inputs["item_ids"])
        checks.check_number("item_ids", inputs["item_ids"])
        ids = self._answered(self.items.ids(inputs["item_ids"]))
        predictions = self._predictions(query, ids, inputs)
        scores = tf.gather(self.known.popularity, ids)
        if self.retrieves:
            vectors = self._model.embed_items(tf.reshape(ids, [-1]))
            vectors = tf.reshape(vectors, [*tf.unstack(tf.shape(ids)), vectors.shape[1]])
            own = tf.linalg.matvec(vectors, self._embedded(query))
            scores = tf.where(query.is_told[:, None], own, scores)
        # An unknown item is none that could be answered, whatever its features would be.
        blended = tf.where(ids == PAD, NO_SCORE, self._blend(scores, predictions, inputs))
        return {"scores": blended, **predictions, "source": query.source}

    def embed_query(self, inputs: Tensors) -> Tensors:
        query = self._read(inputs)
        return {"embedding": self._embedded(query), "source": query.source}

    def similar_items(self, inputs: Tensors) -> Tensors:
        """By the cosine of item vectors, without their biases."""
        inputs = checks.checked_k(inputs, self._num_items)
        for name in ("item_id", "exclude_ids"):
            checks.check_ids(name, inputs[name])
        items = self._answered(self.items.ids(inputs["item_id"]))
        biases = self._model.facts.bias_coordinates
        vectors = self._model.embed_items(items)
        vectors = tf.math.l2_normalize(vectors[:, : vectors.shape[1] - biases], axis=1)
        others = self._answered(self.items.ids(inputs["exclude_ids"]))
        excluded = tf.concat([items[:, None], others], axis=1)
        number = tf.reduce_max(inputs["k"])
        scores, ids = self._alike(tf.pad(vectors, [[0, 0], [0, biases]]), number, excluded)
        ids = tf.where(items[:, None] == PAD, PAD, ids)  # nothing is like an unknown item
        return self._answers(scores, ids, {}, inputs["k"])

    def _embedded(self, query: Query) -> tf.Tensor:
        return self._model.embed_queries(query.features)

    def _candidates(
        self, query: Query, number: tf.Tensor, excluded: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Scores and ids [B, N], best first; id 0 where there are fewer."""
        alike = tf.ones([tf.size(query.users), 1])
        if self.index is None:
            return self._popular(alike, number, excluded)
        scores, ids = self.index(self._embedded(query), number, excluded)
        strangers = tf.where(~query.is_told)  # [n, 1]
        rows = strangers[:, 0]
        others = tf.cond(
            tf.size(rows) > 0,
            lambda: self._popular(tf.gather(alike, rows), number, tf.gather(excluded, rows)),
            lambda: (scores[:0], ids[:0]),
        )
        return tuple(
            tf.tensor_scatter_nd_update(each, strangers, tf.ensure_shape(other, [None, None]))
            for each, other in zip((scores, ids), others, strict=True)
        )

    def _excluded(self, query: Query, inputs: Tensors) -> tf.Tensor:
        """Dense ids [B, X] that are not to be answered."""
        checks.check_ids("exclude_ids", inputs["exclude_ids"])
        seen = tf.concat([self.known.seen.of(query.users), query.told], axis=1)
        seen = tf.where(inputs["exclude_seen"][:, None], seen, PAD)
        return self._answered(tf.concat([self.items.ids(inputs["exclude_ids"]), seen], axis=1))

    def _answered(self, ids: tf.Tensor) -> tf.Tensor:
        """The same ids, 0 for items that were removed: of those, only histories know."""
        return tf.where(ids > self._num_items, PAD, ids)

    def _predictions(self, query: Query, ids: tf.Tensor, inputs: Tensors) -> Tensors:
        """{label: probabilities or stars [B, N]}."""
        if not self._model.facts.labels:
            return {}
        context = {key: feature(inputs) for key, feature in self.context.items()}
        predicted = self._model.predictions(query.pairs(ids, context))
        number = tf.size(ids)
        return {
            label: tf.reshape(each[:number], tf.shape(ids)) for label, each in predicted.items()
        }

    def _blend(self, scores: tf.Tensor, predictions: Tensors, inputs: Tensors) -> tf.Tensor:
        retrieval = self._model.facts.retrieval
        gains = self._model.gains(predictions) if predictions else {}
        if retrieval is not None:
            gains[retrieval] = scores
        parts = [tf.zeros_like(scores)]
        for name, gain in gains.items():
            weight = inputs[f"weight_{name}"]
            checks.check_weight(f"weight_{name}", weight)
            # 0 times a score that is no number's is 0 all the same.
            parts.append(tf.math.multiply_no_nan(gain, weight[:, None]))
        return in_order(parts)

    def _answers(self, scores: tf.Tensor, ids: tf.Tensor, more: Tensors, k: tf.Tensor) -> Tensors:
        """The k best of candidates [B, N], by their raw ids, [B, max of k]."""
        scores = tf.where(ids == PAD, -np.inf, scores)
        number = tf.minimum(tf.reduce_max(k), tf.shape(ids)[1])
        _, places = tf.math.top_k(scores, number)
        ids = tf.gather(ids, places, axis=1, batch_dims=1)
        is_answer = (ids != PAD) & (tf.range(number) < k[:, None])
        wide = tf.reduce_max(k) - number

        def shown(values: tf.Tensor) -> tf.Tensor:
            best = tf.gather(values, places, axis=1, batch_dims=1)
            return tf.pad(tf.where(is_answer, best, 0.0), [[0, 0], [0, wide]])

        ids = tf.pad(tf.where(is_answer, ids, PAD), [[0, 0], [0, wide]])
        return {
            "item_ids": self.items.words(ids),
            "scores": shown(scores),
            **{name: shown(values) for name, values in more.items()},
            "num_items": tf.math.count_nonzero(is_answer, axis=1, dtype=tf.int32),
        }
