"""A small SavedModel with the signatures of an export: lopsided, and made by hand.

Users are numbers and items are words; user 42 met `bee` in training, `rat` is nearest to nobody.
"""

import pathlib

import tensorflow as tf

USERS = {7: [1.0, 0.0], 11: [0.0, 1.0], 42: [0.6, 0.8]}
ITEMS = {
    "ant": [2.0, 0.0],
    "bee": [1.0, 1.0],
    "cat": [0.0, 1.5],
    "élan": [0.5, 0.25],
    "rat": [-1.0, -1.0],
}
POPULARITY = [0.3, 0.1, 0.2, 0.0, 0.05]  # is added to every score
SEEN = {42: "bee"}

_Ints = tf.TensorSpec([None], tf.int32)
_Floats = tf.TensorSpec([None], tf.float32)
_Users = tf.TensorSpec([None], tf.int64)
_ItemLists = tf.TensorSpec([None, None], tf.string)
_QUERY = [_Users, _ItemLists, _Ints]
_NOBODY = tf.constant([-1], tf.int64)
_NO_ITEMS = tf.constant([[""]])
_ALL = tf.constant([-1])
_THREE = tf.constant([3])
_YES = tf.constant([True])
_ONE = tf.constant([1.0])
_HALF = tf.constant([0.5])
_NOON = tf.constant([12.0])


def _table(keys: list, dtype: tf.DType) -> tf.lookup.StaticHashTable:
    rows = tf.range(1, len(keys) + 1)
    pairs = tf.lookup.KeyValueTensorInitializer(tf.constant(keys, dtype), rows)
    return tf.lookup.StaticHashTable(pairs, 0)  # 0: unknown


def _rows(batch: tf.Tensor, tensor: tf.Tensor) -> tf.Tensor:
    """A default has one row; it counts for all of the batch."""
    return tf.broadcast_to(tensor, tf.concat([[batch], tf.shape(tensor)[1:]], axis=0))


class Toy(tf.Module):
    def __init__(self) -> None:
        self.user_table = _table(list(USERS), tf.int64)
        self.item_table = _table(list(ITEMS), tf.string)
        self.user_vectors = tf.Variable([[0.0, 0.0], *USERS.values()])
        self.item_vectors = tf.Variable([[0.0, 0.0], *ITEMS.values()])
        seen = [[item == SEEN.get(user) for item in ITEMS] for user in (None, *USERS)]
        self.seen = tf.Variable(seen)  # [U, I]
        self.words = tf.constant(list(ITEMS))

    def _query(self, user_id, history, history_length):
        """Vectors [B, 2] and what they are of."""
        users = self.user_table.lookup(user_id)
        items = self.item_table.lookup(history)
        width = tf.shape(items)[1]
        counts = tf.where(history_length < 0, width, history_length)
        told = (tf.range(width) < counts[:, None]) & (items > 0)
        counted = tf.cast(told, tf.float32)[:, :, None]
        met = tf.reduce_sum(tf.gather(self.item_vectors, items) * counted, 1)
        met = tf.math.divide_no_nan(met, tf.reduce_sum(counted, 1))
        has_history = tf.reduce_any(told, 1)
        vectors = tf.where(has_history[:, None], met, tf.gather(self.user_vectors, users))
        source = tf.where(has_history, "history", tf.where(users > 0, "user", "popularity"))
        return vectors, source, users

    def _best(self, scores, excluded, k):
        tf.debugging.assert_positive(k, "k must be at least 1")
        tf.debugging.assert_less_equal(k, len(ITEMS), "k must be at most 5, the catalogue")
        scores = tf.where(excluded, float("-inf"), scores)
        values, places = tf.math.top_k(scores, tf.reduce_max(k))
        allowed = tf.reduce_sum(tf.cast(~excluded, tf.int32), 1)
        num_items = tf.minimum(k, allowed)
        is_answer = tf.range(tf.reduce_max(k)) < num_items[:, None]
        ids = tf.where(is_answer, tf.gather(self.words, places), "")
        return ids, tf.where(is_answer, values, 0.0), places, num_items, is_answer

    def _excluded(self, exclude_ids):
        rows = self.item_table.lookup(exclude_ids)
        return tf.reduce_any(tf.one_hot(rows - 1, len(ITEMS), True, False), 1)

    def _like(self, vectors, items, hour):
        """[B, N] of vectors [B, 2] and items [B, N, 2]."""
        return tf.sigmoid(tf.reduce_sum(vectors[:, None] * items, -1) + hour[:, None] / 24)

    @tf.function(
        input_signature=[
            *_QUERY,
            _Ints,
            _ItemLists,
            tf.TensorSpec([None], tf.bool),
            _Floats,
            _Floats,
            _Floats,
        ]
    )
    def recommend(
        self,
        user_id=_NOBODY,
        history=_NO_ITEMS,
        history_length=_ALL,
        k=_THREE,
        exclude_ids=_NO_ITEMS,
        exclude_seen=_YES,
        weight_retrieval=_ONE,
        weight_like=_HALF,
        hour=_NOON,
    ):
        batch = tf.reduce_max([tf.shape(each)[0] for each in (user_id, history, k, exclude_ids)])
        vectors, source, users = self._query(
            _rows(batch, user_id), _rows(batch, history), _rows(batch, history_length)
        )
        k, hour = _rows(batch, k), _rows(batch, hour)
        items = self.item_vectors[1:]
        like = self._like(vectors, tf.tile(items[None], [batch, 1, 1]), hour)
        scores = weight_retrieval[:, None] * (vectors @ tf.transpose(items) + POPULARITY)
        scores += weight_like[:, None] * like
        excluded = self._excluded(_rows(batch, exclude_ids))
        excluded |= tf.gather(self.seen, users) & exclude_seen[:, None]
        ids, scores, places, num_items, is_answer = self._best(scores, excluded, k)
        like = tf.where(is_answer, tf.gather(like, places, batch_dims=1), 0.0)
        return {
            "item_ids": ids,
            "scores": scores,
            "like": like,
            "source": source,
            "num_items": num_items,
        }

    @tf.function(input_signature=[_ItemLists, *_QUERY, _Floats])
    def rank(
        self,
        item_ids,
        user_id=_NOBODY,
        history=_NO_ITEMS,
        history_length=_ALL,
        hour=_NOON,
    ):
        batch = tf.shape(item_ids)[0]
        vectors, source, _ = self._query(
            _rows(batch, user_id), _rows(batch, history), _rows(batch, history_length)
        )
        items = tf.gather(self.item_vectors, self.item_table.lookup(item_ids))
        like = self._like(vectors, items, _rows(batch, hour))
        return {"scores": 2 * like, "like": like, "source": source}

    @tf.function(input_signature=_QUERY)
    def embed_query(self, user_id=_NOBODY, history=_NO_ITEMS, history_length=_ALL):
        batch = tf.maximum(tf.shape(user_id)[0], tf.shape(history)[0])
        vectors, source, _ = self._query(
            _rows(batch, user_id), _rows(batch, history), _rows(batch, history_length)
        )
        return {"embedding": vectors, "source": source}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string), _Ints, _ItemLists])
    def similar_items(self, item_id, k=_THREE, exclude_ids=_NO_ITEMS):
        batch = tf.shape(item_id)[0]
        rows = self.item_table.lookup(item_id)
        scores = tf.gather(self.item_vectors, rows) @ tf.transpose(self.item_vectors[1:])
        excluded = self._excluded(_rows(batch, exclude_ids)) | self._excluded(item_id[:, None])
        ids, scores, _, num_items, _ = self._best(scores, excluded, _rows(batch, k))
        return {"item_ids": ids, "scores": scores, "num_items": num_items}


def write(folder: pathlib.Path) -> None:
    """Saves the toy as the version that the folder is named by."""
    toy = Toy()
    signatures = {
        "serving_default": toy.recommend,
        "recommend": toy.recommend,
        "rank": toy.rank,
        "embed_query": toy.embed_query,
        "similar_items": toy.similar_items,
    }
    tf.saved_model.save(toy, str(folder), signatures=signatures)
