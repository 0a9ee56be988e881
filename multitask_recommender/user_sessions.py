"""Users' events as sessions: the latest events of each, and whose session ended when."""

import dataclasses

import numpy as np

from multitask_recommender.histories import Recent
from multitask_recommender.interactions import Interactions

LONGEST = 200  # events of a session that are told at the most


def latest(rows: Interactions, length: int | None = None) -> Recent:
    """What each user met last; in the order of the log where there is no other.

    Its length is that of the longest session, LONGEST at the most and one at the least.
    """
    times = np.arange(len(rows)) if rows.timestamps is None else rows.timestamps
    if length is None:
        length = min(int(np.bincount(rows.user_ids, minlength=1).max()), LONGEST)
    return Recent(dataclasses.replace(rows, timestamps=times), max(length, 1))


def ends(rows: Interactions) -> np.ndarray:
    """When each user's last event was: its place among all events [R + 1], -1 for who has none.

    By time; by the order of the log where times do not compare users.
    """
    in_time = np.argsort(rows.timestamps, kind="stable") if rows.has_clock else slice(None)
    last = np.full(len(rows.users.raw_ids) + 1, -1)
    last[rows.user_ids[in_time]] = np.arange(len(rows))  # later assignments win
    return last
