"""Who met what in training: as sets, for leaving out and for sums, and in order, for sequences."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from multitask_recommender import columns
from multitask_recommender.interactions import Interactions
from multitask_recommender.pairs import are_among, distinct, keys_of
from multitask_recommender.schema import HISTORY, PAD, TIMESTAMP, USER_ID

if TYPE_CHECKING:
    import tensorflow as tf

Rows = tuple[np.ndarray, np.ndarray]  # splits and members: of row r, members[splits[r]:splits[r+1]]


def items_of_users(train: Interactions, chosen: np.ndarray | None = None) -> Rows:
    """Each user's distinct training items, ascending; the unknown user 0 has none.

    `chosen` is a mask [N] of the events that count; by default all do. Splits are [U + 2].
    """
    return _group(train.user_ids, train.item_ids, train.num_users, chosen)


def items_left_by_users(train: Interactions, positive: str) -> Rows:
    """Each user's distinct items that were shown to him and never became a positive, ascending."""
    keys = keys_of(train)
    left = train.is_observed(positive) & (train.labels[positive] != 1)
    return items_of_users(train, left & ~are_among(keys, np.sort(keys[train.positives(positive)])))


def users_of_items(train: Interactions, chosen: np.ndarray | None = None) -> Rows:
    """Each item's distinct training users, as `items_of_users`; the unknown item 0 has none."""
    return _group(train.item_ids, train.user_ids, train.num_items, chosen)


def _group(
    owners: np.ndarray, members: np.ndarray, num_owners: int, chosen: np.ndarray | None
) -> Rows:
    """Where owners follow one another, some of them at a time: keys take 8 bytes a row."""
    base = np.int64(members.max(initial=0)) + 1
    splits, grouped = np.zeros(num_owners + 2, np.int64), []
    for block in columns.runs(owners):
        rows = block if chosen is None else block.start + np.flatnonzero(chosen[block])
        keys = owners[rows].astype(np.int64)
        keys *= base
        keys += members[rows]
        keys = distinct(keys)
        splits[1:] += columns.count(keys // base, num_owners + 1)
        grouped.append((keys % base).astype(np.int32))
    np.cumsum(splits, out=splits)
    return splits, np.concatenate(grouped)


def counts(ids: np.ndarray, num_known: int, chosen: np.ndarray | None = None) -> np.ndarray:
    """How often each id 0..num_known occurs, float32 [num_known + 1].

    `chosen` is a mask [N] of the events that count; by default all do.
    """
    return columns.count(ids, num_known + 1, chosen).astype(np.float32)


def counts_of_items(train: Interactions, positive: str | None = None) -> np.ndarray:
    """How often each item was met, as a positive where a label is given, [I + 1]."""
    return counts(train.item_ids, train.num_items, train.positives(positive))


def latest(histories: np.ndarray, length: int) -> np.ndarray:
    """The last `length` items of each history [n, *], int32 [n, length], padded on the right.

    Padding may stand anywhere in what is given: it is left out.
    """
    order = np.argsort(histories == PAD, axis=1, kind="stable")
    items = np.take_along_axis(histories, order, axis=1)
    ends = np.count_nonzero(items != PAD, axis=1)[:, None]
    places = np.maximum(ends - length, 0) + np.arange(length)
    items = np.pad(items, [(0, 0), (0, 1)])  # the last is padding: place -1
    places = np.where(places < ends, places, -1)
    return np.take_along_axis(items, places, axis=1).astype(np.int32)


class Recent:
    """The latest positives of each user before an event, from the given events alone.

    An event's own second does not count as before it, so that no event is told of itself; nor,
    then, of what came of it.

    Args:
      events: with timestamps; those of training, for whatever learns.
      length: T, how many are told at the most.
      positive: the label whose 1 makes an event count; all do, where None.
    """

    def __init__(self, events: Interactions, length: int, positive: str | None = None) -> None:
        self.length, self.positive = length, positive
        rows = events.item_ids <= events.num_items  # of the vocabulary
        chosen = events.positives(positive)
        rows &= True if chosen is None else chosen
        users, times = events.user_ids[rows], events.timestamps[rows]
        self._times = np.unique(times)
        order = np.lexsort((times, users))
        # The padding comes last: place -1.
        self._members = np.append(events.item_ids[rows][order], PAD).astype(np.int32)
        self._keys = self._keys_of(users[order], times[order])
        largest = int(users.max(initial=0))
        self._splits = np.searchsorted(users[order], np.arange(largest + 2))

    def bounds(
        self, user_ids: np.ndarray, timestamps: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Where each user's history begins and where it ends before each event, int64 [n] each.

        Without times it ends after all there is. Users of no event have none.
        """
        known = np.where(user_ids < len(self._splits) - 1, user_ids, 0)
        starts = self._splits[known]
        if timestamps is None:
            return starts, self._splits[known + 1]
        ends = np.searchsorted(self._keys, self._keys_of(known, timestamps))
        return starts, np.maximum(starts, ends)

    def windows(self, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Item ids int32 [n, T] of histories within these bounds, the latest T of them.

        Oldest first, padded with 0 on the right.
        """
        places = np.maximum(starts, ends - self.length)[:, None] + np.arange(self.length)
        return self._members[np.where(places < ends[:, None], places, -1)]

    def of_all(self, num_users: int) -> Rows:
        """The latest T items of each user 0..num_users, oldest first, as splits and members."""
        starts, ends = self.bounds(np.arange(num_users + 1))
        starts = np.maximum(starts, ends - self.length)
        splits = np.append(0, np.cumsum(ends - starts))
        places = np.arange(splits[-1]) - np.repeat(splits[:-1] - starts, ends - starts)
        return splits, self._members[places]

    def before(self, queries: Mapping[str, np.ndarray]) -> np.ndarray:
        """What came before some queries, item ids int32 [n, T] as of `windows`.

        Of their users (USER_ID), before their time (TIMESTAMP) or, without, all there is. A history
        that is given (HISTORY) counts instead of that, its latest items; a row of zeros is none.
        """
        told = self.windows(*self.bounds(np.asarray(queries[USER_ID]), queries.get(TIMESTAMP)))
        if HISTORY not in queries:
            return told
        given = latest(np.asarray(queries[HISTORY]), self.length)
        return np.where(given.any(axis=1, keepdims=True), given, told)

    def shared(
        self, queries: Mapping[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """`before` without repetitions: histories [S, T], and of each query [n] which one it reads,
        int32, and how many items of it, int32.

        A history is of one user, or of one query where it is given.
        """
        users = np.asarray(queries[USER_ID])
        starts, ends = self.bounds(users, queries.get(TIMESTAMP))
        own = np.zeros(len(users), np.int64)
        if HISTORY in queries:
            is_given = np.asarray(queries[HISTORY]).any(axis=1)
            own[is_given] = np.flatnonzero(is_given) + 1
        _, first, rows = np.unique(
            np.stack([users, ends, own]), axis=1, return_index=True, return_inverse=True
        )
        told = self.before({name: array[first] for name, array in queries.items()})
        lengths = np.count_nonzero(told, axis=1).astype(np.int32)
        return told, rows.ravel().astype(np.int32), lengths[rows.ravel()]

    def windows_in_graph(self) -> Callable[["tf.Tensor", "tf.Tensor"], "tf.Tensor"]:
        """`windows` in a graph, of as many columns as the longest of them needs, or one."""
        import tensorflow as tf

        members = tf.constant(self._members)
        padding = len(self._members) - 1  # its place

        def windows(starts: tf.Tensor, ends: tf.Tensor) -> tf.Tensor:
            starts = tf.maximum(starts, ends - self.length)
            longest = tf.maximum(tf.reduce_max(ends - starts), 1)
            places = starts[:, None] + tf.range(longest)
            return tf.gather(members, tf.where(places < ends[:, None], places, padding))

        return windows

    def _keys_of(self, users: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Numbers that ascend by user, and of a user by time: by how many times are before it."""
        return users.astype(np.int64) * (len(self._times) + 1) + np.searchsorted(self._times, times)


class SharedWindows:
    """Histories in windows that many events share, for models that read a whole one at once.

    A window is up to T items of a user in their order; an event reads as many of them as come
    before it. A user with more than T has several windows, which begin half of T apart: an event
    reads the earliest that leads up to it, and so T / 2 items at the least, where there are as
    many, and T at the most.

    Args:
      recent: the histories, and T.
      events: those that are to be learnt from.
      with_first: whether those before which nothing came are among them.
      most: events of a window; one of more is several, so that no batch is much larger than others.
    """

    def __init__(
        self,
        recent: Recent,
        events: Interactions,
        with_first: bool = True,
        most: int | None = None,
    ) -> None:
        self.recent = recent
        users = events.user_ids
        starts, ends = recent.bounds(users, events.timestamps)
        before = ends - starts
        apart = max(1, recent.length // 2)
        skipped = -(-np.maximum(before - recent.length, 0) // apart) * apart
        begins = starts + skipped  # of each event's window
        # Users without a history share a beginning with others, but not a window.
        order = np.lexsort((begins, users))
        if not with_first:
            order = order[before[order] > 0]
        is_new = np.diff(begins[order], prepend=-1) != 0
        is_new |= np.diff(users[order], prepend=-1) != 0
        if most is not None:
            place = np.arange(len(order))
            place -= np.maximum.accumulate(np.where(is_new, place, 0))
            is_new |= place % most == 0
        first = np.flatnonzero(is_new)
        self.rows = order  # the events [n], window by window
        self.splits = np.append(first, len(order))  # [W + 1], into rows
        self.lengths = (before - skipped)[order].astype(np.int32)  # [n] of rows: how many it reads
        self.starts = begins[order][first]  # [W]
        longest = np.maximum.reduceat(self.lengths, first) if len(first) else self.lengths
        self.ends = self.starts + longest
