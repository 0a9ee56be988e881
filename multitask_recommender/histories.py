"""Who met what in training: as sets, for leaving out and for sums, and in order, for sequences."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from multitask_recommender.interactions import Interactions
from multitask_recommender.pairs import are_among, keys_of
from multitask_recommender.schema import PAD

if TYPE_CHECKING:
    import tensorflow as tf

Rows = tuple[np.ndarray, np.ndarray]  # splits and members: of row r, members[splits[r]:splits[r+1]]


def items_of_users(train: Interactions, chosen: np.ndarray | None = None) -> Rows:
    """Each user's distinct training items, ascending; the unknown user 0 has none.

    `chosen` is a mask [N] of the events that count; by default all do. Splits are [U + 2].
    """
    rows = slice(None) if chosen is None else chosen
    return _group(train.user_ids[rows], train.item_ids[rows], train.num_users)


def items_left_by_users(train: Interactions, positive: str) -> Rows:
    """Each user's distinct items that were shown to him and never became a positive, ascending."""
    keys = keys_of(train)
    left = train.is_observed(positive) & (train.labels[positive] != 1)
    return items_of_users(train, left & ~are_among(keys, np.sort(keys[train.positives(positive)])))


def users_of_items(train: Interactions, chosen: np.ndarray | None = None) -> Rows:
    """Each item's distinct training users, as `items_of_users`; the unknown item 0 has none."""
    rows = slice(None) if chosen is None else chosen
    return _group(train.item_ids[rows], train.user_ids[rows], train.num_items)


def _group(owners: np.ndarray, members: np.ndarray, num_owners: int) -> Rows:
    base = np.int64(members.max(initial=0)) + 1
    owners, members = np.divmod(np.unique(owners * base + members), base)
    splits = np.searchsorted(owners, np.arange(num_owners + 2))
    return splits.astype(np.int64), members.astype(np.int32)


def counts(ids: np.ndarray, num_known: int) -> np.ndarray:
    """How often each id 0..num_known occurs, float32 [num_known + 1]."""
    return np.bincount(ids, minlength=num_known + 1)[: num_known + 1].astype(np.float32)


class Recent:
    """The latest positives of each user before an event, from training events alone.

    An event's own second does not count as before it, so that no event is told of itself; nor,
    then, of what came of it.

    Args:
      train: events with timestamps.
      length: T, how many are told at the most.
      positive: the label whose 1 makes an event count; all do, where None.
    """

    def __init__(self, train: Interactions, length: int, positive: str | None = None) -> None:
        self.length = length
        chosen = train.positives(positive)
        rows = slice(None) if chosen is None else chosen
        users, times = train.user_ids[rows], train.timestamps[rows]
        self._first = int(times.min()) if len(times) else 0
        self._span = (int(times.max()) - self._first if len(times) else 0) + 2
        order = np.lexsort((times, users))
        # The padding comes last: place -1.
        self._members = np.append(train.item_ids[rows][order], PAD).astype(np.int32)
        self._keys = self._keys_of(users[order], times[order])
        self._splits = np.searchsorted(users[order], np.arange(train.num_users + 2))

    def ends(self, user_ids: np.ndarray, timestamps: np.ndarray | None = None) -> np.ndarray:
        """Where each event's history ends, int64 [n]; without times, after all there is."""
        known = self._known(user_ids)
        if timestamps is None:
            return self._splits[known + 1]
        # Timestamps before or after all of training's are cut to fit the keys.
        times = np.clip(timestamps, self._first, self._first + self._span - 1)
        return np.searchsorted(self._keys, self._keys_of(known, times))

    def windows(self, user_ids: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Item ids int32 [n, T], oldest first, padded with 0 on the right."""
        starts = np.maximum(self._splits[self._known(user_ids)], ends - self.length)
        places = starts[:, None] + np.arange(self.length)
        return self._members[np.where(places < ends[:, None], places, -1)]

    def windows_in_graph(self) -> Callable[["tf.Tensor", "tf.Tensor"], "tf.Tensor"]:
        """`windows` of user ids [n], of which 0 is unknown, and ends [n], in a graph."""
        import tensorflow as tf

        splits, members = tf.constant(self._splits), tf.constant(self._members)
        padding = len(self._members) - 1  # its place

        def windows(user_ids: tf.Tensor, ends: tf.Tensor) -> tf.Tensor:
            starts = tf.maximum(tf.gather(splits, user_ids), ends - self.length)
            places = starts[:, None] + tf.range(self.length, dtype=tf.int64)
            return tf.gather(members, tf.where(places < ends[:, None], places, padding))

        return windows

    def _known(self, user_ids: np.ndarray) -> np.ndarray:
        return np.where(user_ids < len(self._splits) - 1, user_ids, 0)

    def _keys_of(self, users: np.ndarray, times: np.ndarray) -> np.ndarray:
        return users.astype(np.int64) * self._span + (times.astype(np.int64) - self._first)
