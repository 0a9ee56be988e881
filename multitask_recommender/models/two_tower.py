"""Two towers: users and items as vectors whose dot product is the retrieval score.

Covington et al., "Deep Neural Networks for YouTube Recommendations", RecSys 2016, and the
multi-task tutorial of TensorFlow Recommenders; histories and biases follow Koren, "Factorization
Meets the Neighborhood", KDD 2008.

A tower sums an id embedding, a history and features (layers/tower.py). The ranking tasks read the
same vectors or, where `ranking` is given, a view of their own: other inputs, through a projection
of the same tables (`embeddings: shared`) or from tables of their own (`separate`); and the vectors
of the event's `context`. Where retrieval has a label for its positives, its histories are of those
alone; those of the ranking tasks are of all that was met, which tells no label. The item bias of
retrieval begins at the log of popularity.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from multitask_recommender import shares
from multitask_recommender.batches import NO_SEED, STEP_SEED
from multitask_recommender.histories import Recent
from multitask_recommender.interactions import Interactions
from multitask_recommender.layers.context import Context
from multitask_recommender.layers.draws import AnySeed, dropout, seed_of
from multitask_recommender.layers.heads import PairShape
from multitask_recommender.layers.ranking_space import RankingSpace
from multitask_recommender.layers.representation import Representation
from multitask_recommender.layers.retrieval_space import RetrievalSpace, log_popularity
from multitask_recommender.layers.tower import HISTORY, Side, Told, Tower, View, sides
from multitask_recommender.models._base import Features, MultiTaskModel
from multitask_recommender.models._queries import distinct_queries, lines_of
from multitask_recommender.models.settings.two_tower import Settings
from multitask_recommender.schema import ITEM_ID, USER_ID


class Model(MultiTaskModel):
    def __init__(self, settings: Settings, train: Interactions, **shared: Any) -> None:
        super().__init__(settings, train, **shared)
        self._settings = settings
        positive = None if self.retrieval is None else self.retrieval.positive
        users, items = sides(train, positive)
        of_positives = positive is not None
        self._user_view = View(tuple(settings.user), settings.history_dropout, of_positives)
        self._item_view = View(tuple(settings.item), of_positives=of_positives)
        shared_too = settings.ranking_inputs if settings.embeddings == "shared" else ((), ())
        dimension = settings.embedding_dimension
        self._user_tower = self._tower(users, {*settings.user, *shared_too[0]}, dimension)
        if settings.reads_recent:
            told = settings.recent_positive or positive
            self.recent = Recent(train, settings.recent_length, told)
        self._item_tower = self._tower(items, {*settings.item, *shared_too[1]}, dimension)
        biases = log_popularity(items.counts)
        self._space = RetrievalSpace(
            biases, settings.normalise, self.retrieval, train.items.vocabulary
        )
        if self.ranking:
            self._ranking_space = self._build_ranking_space(users, items)
        self.context_names = tuple(settings.context) if self.ranking else ()
        self._context = Context(
            train.context, self.context_names, settings.ranking_dimension, settings.initial_stddev
        )
        self.build_sharing()

    @property
    def reads_told_history(self) -> bool:
        return HISTORY in self._settings.inputs_read()["user"]

    @property
    def pair_shape(self) -> PairShape:
        width = self._settings.ranking_dimension
        context = len(self._settings.context) * width
        return PairShape(vectors=width, fields=2 + context, unread=context)

    def encode(
        self, features: Features, candidate_ids: tf.Tensor, training: bool
    ) -> Representation:
        user_ids, query_rows = distinct_queries(features)
        told = Told.of(features)
        seeds = self._seeds(features)
        queries = candidates = users = items = None
        if self.retrieval is not None:
            users = self._user_tower(user_ids, self._user_view, seeds[0], told, training=training)
            queries = users
            if training and self._settings.dropout:
                queries = dropout(users, self._settings.dropout, seeds[1])
            queries = self._space.queries(queries)
            items = self._item_tower(candidate_ids, self._item_view, seeds[2], training=training)
            candidates = self._space.items(items, candidate_ids)
        return Representation(
            queries=queries,
            candidates=candidates,
            query_rows=query_rows,
            query_lines=lines_of(features),
            candidate_rows=tf.searchsorted(candidate_ids, features[ITEM_ID]),
            penalty=self._penalty(features) if training else 0.0,
            **self._ranking_parts(
                (user_ids, candidate_ids), (users, items), features, seeds[3:], training
            ),
        )

    def embed_queries(self, features: Features) -> tf.Tensor:
        ids, told = features[USER_ID], Told.of(features)
        return self._space.queries(self._user_tower(ids, self._user_view, NO_SEED, told))

    def embed_items(self, ids: tf.Tensor) -> tf.Tensor:
        return self._space.items(self._item_tower(ids, self._item_view, NO_SEED), ids)

    def _ranking_parts(
        self,
        ids: tuple[tf.Tensor, tf.Tensor],
        retrieval: tuple[tf.Tensor | None, tf.Tensor | None],
        features: Features,
        seeds: Sequence[AnySeed],
        training: bool,
    ) -> dict[str, Any]:
        """What ranking tasks read: vectors of distinct users and items, biases, dropout.

        `retrieval` are its vectors of the same ids, which are used again where they can be.
        """
        if not self.ranking:
            return {}
        given = [
            vectors if self._ranking_space.reads_as(side, tower, view) else None
            for side, (vectors, tower, view) in enumerate(
                (
                    (retrieval[0], self._user_tower, self._user_view),
                    (retrieval[1], self._item_tower, self._item_view),
                )
            )
        ]
        users, items = self._ranking_space(ids, seeds, given, Told.of(features), training=training)
        fields = self._ranking_space.fields((features[USER_ID], features[ITEM_ID]))
        fields += tuple(self._context(features))
        # Retrieval's vectors where ranking tasks read the same ones, else also ranking's own.
        own = [vectors for vectors, same in zip((users, items), given, strict=True) if same is None]
        parts = {
            "ranking_queries": users,
            "ranking_candidates": items,
            "fields": fields,
            "shared": (*(each for each in retrieval if each is not None), *own, *fields),
            "along_candidates": (retrieval[1], items),
        }
        ranking = self._settings.ranking
        if training and ranking is not None and ranking.dropout:
            parts["product_dropout"] = (ranking.dropout, seeds[2])
        return parts

    def _seeds(self, features: Features) -> list[AnySeed]:
        """For users, their dropout and items as retrieval reads them; for users, items and pairs
        as ranking does.
        """
        keys = tf.random.experimental.stateless_split(features.get(STEP_SEED, NO_SEED), 6)
        of_queries, of_rows = lines_of(features), shares.rows(features)
        lines = (of_queries, of_queries, None, of_queries, None, of_rows)
        return [seed_of(keys[place], each) for place, each in enumerate(lines)]

    def _penalty(self, features: Features) -> tf.Tensor:
        """Weight decay of the rows that the batch's events [B] touch."""
        ids = features[USER_ID], features[ITEM_ID]
        total = tf.zeros([])
        if self._settings.l2 and self.retrieval is not None:
            decay = self._user_tower.penalty(self._user_view, *ids)
            decay += self._item_tower.penalty(self._item_view, *ids[::-1])
            total += self._settings.l2 * decay
        return total + self._ranking_space.penalty(ids) if self.ranking else total

    def _build_ranking_space(self, users: Side, items: Side) -> RankingSpace:
        settings, ranking = self._settings, self._settings.ranking
        towers = self._user_tower, self._item_tower
        inputs = settings.ranking_inputs
        if settings.embeddings == "separate":
            towers = tuple(
                self._tower(side, names, settings.ranking_dimension)
                for side, names in zip((users, items), inputs, strict=True)
            )
        projects = ranking is not None and settings.embeddings == "shared"
        return RankingSpace(
            sides=(users, items),
            towers=towers,
            views=(View(tuple(inputs[0])), View(tuple(inputs[1]))),
            dimension=settings.ranking_dimension if projects else None,
            l2=(0.0, 0.0) if ranking is None else (ranking.l2, ranking.bias_l2),
            l2_power=settings.l2_power,
        )

    def _tower(self, side: Side, inputs: set[str] | list[str], dimension: int) -> Tower:
        settings = self._settings
        return Tower(
            side,
            inputs,
            dimension,
            hidden_layers=settings.hidden_layers,
            l2_power=settings.l2_power,
            stddev=settings.initial_stddev,
        )
