"""Who met what in training, as compressed rows: for histories and for leaving positives out."""

import numpy as np

from multitask_recommender.interactions import Interactions

Rows = tuple[np.ndarray, np.ndarray]  # splits and members: of row r, members[splits[r]:splits[r+1]]


def items_of_users(train: Interactions, chosen: np.ndarray | None = None) -> Rows:
    """Each user's distinct training items, ascending; the unknown user 0 has none.

    `chosen` is a mask [N] of the events that count; by default all do. Splits are [U + 2].
    """
    rows = slice(None) if chosen is None else chosen
    return _group(train.user_ids[rows], train.item_ids[rows], train.num_users)


def users_of_items(train: Interactions) -> Rows:
    """Each item's distinct training users, ascending; the unknown item 0 has none."""
    return _group(train.item_ids, train.user_ids, train.num_items)


def _group(owners: np.ndarray, members: np.ndarray, num_owners: int) -> Rows:
    base = np.int64(members.max(initial=0)) + 1
    owners, members = np.divmod(np.unique(owners * base + members), base)
    splits = np.searchsorted(owners, np.arange(num_owners + 2))
    return splits.astype(np.int64), members.astype(np.int32)


def counts(ids: np.ndarray, num_known: int) -> np.ndarray:
    """How often each id 0..num_known occurs, float32 [num_known + 1]."""
    return np.bincount(ids, minlength=num_known + 1)[: num_known + 1].astype(np.float32)
