"""What the loss of a batch of positives reads, and the batch of some of them."""

import dataclasses

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Batch:
    """What the loss of B positives reads: Q distinct queries, C candidates, and who pairs whom.

    Of a share of a batch, the queries and rows are its own, and candidates those of all of it.
    """

    user_ids: tf.Tensor  # [B]
    occurring: tf.Tensor  # ids [B] of the items of all rows, those of other shares too
    queries: tf.Tensor  # [Q, D]
    candidates: tf.Tensor  # [C, D]
    query_rows: tf.Tensor  # [B], into queries
    candidate_rows: tf.Tensor  # [B], into candidates
    ids: tf.Tensor  # [C], ascending: which items the candidates are
    drawn: tf.Tensor | None  # ids of drawn negatives: [n] for all rows or, for BPR, [B, n]
    points: tf.Tensor | None = None  # [Q, n] in [0, 1), by which hard negatives are drawn

    @property
    def cells(self) -> tf.Tensor:
        """Where in the scores [Q, C] each row is, [B, 2]."""
        return tf.stack([self.query_rows, self.candidate_rows], axis=1)

    @property
    def own_products(self) -> tf.Tensor:
        """Of each row's query and its own item, [B]."""
        queries = tf.gather(self.queries, self.query_rows)  # [B, D]
        return tf.reduce_sum(queries * tf.gather(self.candidates, self.candidate_rows), axis=1)

    def take(self, rows: tf.Tensor, of_all: tf.Tensor, all_candidates: bool) -> "Batch":
        """The batch of some rows alone; without the candidates that were there for the others.

        of_all [B] says which rows these are of all, those of other shares too.
        """
        queries, query_rows = tf.unique(tf.gather(self.query_rows, rows))
        drawn = self.drawn
        if drawn is not None and drawn.shape.rank == 2:
            drawn = tf.gather(drawn, rows)
        batch = dataclasses.replace(
            self,
            user_ids=tf.gather(self.user_ids, rows),
            occurring=tf.boolean_mask(self.occurring, of_all),
            queries=tf.gather(self.queries, queries),
            query_rows=query_rows,
            candidate_rows=tf.gather(self.candidate_rows, rows),
            drawn=drawn,
            points=None if self.points is None else tf.gather(self.points, queries),
        )
        return batch if all_candidates else batch._without_idle_candidates()

    def _without_idle_candidates(self) -> "Batch":
        places = tf.searchsorted(self.ids, self.occurring)
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


def cells_of(items_of_users: tf.RaggedTensor, batch: Batch) -> tf.Tensor:
    """Cells [M, 2] of the scores where a query's user meets one of his items, ascending."""
    num_queries = tf.shape(batch.queries)[0]
    users = tf.math.unsorted_segment_max(batch.user_ids, batch.query_rows, num_queries)  # [Q]
    items = tf.gather(items_of_users, users)  # ragged [Q, *]
    rows, items = items.value_rowids(), items.values
    places = tf.minimum(tf.searchsorted(batch.ids, items), tf.size(batch.ids) - 1)
    is_candidate = tf.gather(batch.ids, places) == items
    cells = tf.stack([tf.cast(rows, tf.int32), places], axis=1)
    return tf.boolean_mask(cells, is_candidate)


def are_drawn_members(items_of_users: tf.RaggedTensor, most: int, batch: Batch) -> tf.Tensor:
    """Whether what was drawn for a row is one of its user's items, ascending, [B, n].

    most: of how many items a user has. Each is looked for among those of its own user, by halving:
    a step reads no more of who met what, however much there is.
    """
    splits, items = items_of_users.row_splits, items_of_users.values
    starts, ends = (tf.gather(splits, batch.user_ids + shift)[:, None] for shift in (0, 1))
    places = tf.broadcast_to(starts - 1, tf.shape(batch.drawn))  # the last known not to be above
    are_members = tf.zeros_like(batch.drawn, tf.bool)
    for exponent in reversed(range(most.bit_length())):
        further = places + 2**exponent
        found = tf.gather(items, tf.minimum(further, tf.size(items, tf.int64) - 1))
        found = tf.where(further < ends, found, items.dtype.max)
        are_members |= found == batch.drawn
        places = tf.where(found <= batch.drawn, further, places)
    return are_members
