"""What a model makes of a batch, and what tasks and sharing blocks read of it."""

import dataclasses

import tensorflow as tf

from multitask_recommender.layers.draws import AnySeed, dropout
from multitask_recommender.shares import Lines


@dataclasses.dataclass(frozen=True)
class Representation:
    """Vectors of the batch's distinct queries and candidates, and which of them each row pairs.

    Distinct, because a batch repeats users and items: what is the same is computed and scored
    once. `query_rows` and `candidate_rows` say where each row's own vectors are. Retrieval scores
    are `queries @ candidates.T`; both are None where nothing retrieves. Ranking tasks read `pair`;
    a model whose ranking tasks live in a space of their own gives `ranking_queries` and
    `ranking_candidates` too.

    `cut` is where tasks meet: all that they read of tables passes through these tensors, so that
    their gradients can be compared and combined here. A model in which one of the tensors here is
    made of another, or of a common one before both, names the cut itself, in `shared`.
    """

    queries: tf.Tensor | None  # [Q, D]
    candidates: tf.Tensor | None  # [C, D]
    query_rows: tf.Tensor  # int [B], into queries
    candidate_rows: tf.Tensor  # int [B], into candidates
    ranking_queries: tf.Tensor | None = None  # [Q, E]
    ranking_candidates: tf.Tensor | None = None  # [C, E]
    product_dropout: tuple[float, AnySeed] | None = None  # rate and seed, when training
    fields: tuple[tf.Tensor, ...] = ()  # [B, *] each: more that heads may read
    shared: tuple[tf.Tensor, ...] = ()
    query_lines: Lines | None = None  # of a share of a batch: which of its queries these are
    along_candidates: tuple[tf.Tensor, ...] = ()  # those of `shared` with a line for each
    penalty: tf.Tensor | float = 0.0  # regularisation of the rows that this batch touches

    @property
    def cut(self) -> tuple[tf.Tensor, ...]:
        """The tensors where tasks meet, none of them made of another."""
        vectors = (
            self.queries,
            self.candidates,
            self.ranking_queries,
            self.ranking_candidates,
            *self.fields,
        )
        return self.shared or tuple(each for each in vectors if each is not None)

    def is_along_candidates(self, tensor: tf.Tensor) -> bool:
        """Whether a tensor of the cut has its lines in common with all shares of a batch."""
        vectors = self.candidates, self.ranking_candidates, *self.along_candidates
        return any(tensor is each for each in vectors)

    @property
    def query(self) -> tf.Tensor:
        """The query of each row, in the space of the ranking tasks, [B, E]."""
        vectors = self.queries if self.ranking_queries is None else self.ranking_queries
        return tf.gather(vectors, self.query_rows)

    @property
    def candidate(self) -> tf.Tensor:
        """The candidate of each row, in the space of the ranking tasks, [B, E]."""
        vectors = self.candidates if self.ranking_candidates is None else self.ranking_candidates
        return tf.gather(vectors, self.candidate_rows)

    @property
    def pair(self) -> tf.Tensor:
        """What sharing blocks read of each row: [query, candidate, product, fields...], [B, P]."""
        query, candidate = self.query, self.candidate
        product = query * candidate
        if self.product_dropout is not None:
            product = dropout(product, *self.product_dropout)
        return tf.concat([query, candidate, product, *self.fields], axis=1)
