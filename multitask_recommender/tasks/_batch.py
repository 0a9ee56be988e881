"""What the loss of a batch of positives reads, and the batch of some of them."""

import dataclasses

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Batch:
    """What the loss of B positives reads: Q distinct queries, C candidates, and who pairs whom."""

    user_ids: tf.Tensor  # [B]
    item_ids: tf.Tensor  # [B]
    queries: tf.Tensor  # [Q, D]
    candidates: tf.Tensor  # [C, D]
    query_rows: tf.Tensor  # [B], into queries
    candidate_rows: tf.Tensor  # [B], into candidates
    ids: tf.Tensor  # [C], ascending: which items the candidates are
    drawn: tf.Tensor | None  # ids of drawn negatives: [n] for all rows or, for BPR, [B, n]

    @property
    def cells(self) -> tf.Tensor:
        """Where in the scores [Q, C] each row is, [B, 2]."""
        return tf.stack([self.query_rows, self.candidate_rows], axis=1)

    def take(self, rows: tf.Tensor, all_candidates: bool) -> "Batch":
        """The batch of some rows alone; without the candidates that were there for the others."""
        queries, query_rows = tf.unique(tf.gather(self.query_rows, rows))
        drawn = self.drawn
        if drawn is not None and drawn.shape.rank == 2:
            drawn = tf.gather(drawn, rows)
        batch = dataclasses.replace(
            self,
            user_ids=tf.gather(self.user_ids, rows),
            item_ids=tf.gather(self.item_ids, rows),
            queries=tf.gather(self.queries, queries),
            query_rows=query_rows,
            candidate_rows=tf.gather(self.candidate_rows, rows),
            drawn=drawn,
        )
        return batch if all_candidates else batch._without_idle_candidates()

    def _without_idle_candidates(self) -> "Batch":
        places = self.candidate_rows
        if self.drawn is not None:
            drawn = tf.searchsorted(self.ids, tf.reshape(self.drawn, [-1]))
            places = tf.concat([places, drawn], axis=0)
        kept = tf.sort(tf.unique(places).y)
        return dataclasses.replace(
            self,
            ids=tf.gather(self.ids, kept),
            candidates=tf.gather(self.candidates, kept),
            candidate_rows=tf.searchsorted(kept, self.candidate_rows),
        )
