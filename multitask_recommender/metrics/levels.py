"""Scores of binary targets, sorted into levels: what AUC, average precision and calibration read.

One integer holds group, score and target, as one integer sorts ten times faster than rows are
argsorted: 10 million in a tenth of a second.
"""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Levels:
    """The L distinct (group, score) of rows, by group and then by score, both ascending."""

    groups: np.ndarray  # int32 [L]
    rows: np.ndarray  # int64 [L], at least 1
    positives: np.ndarray  # int64 [L]

    @property
    def negatives(self) -> np.ndarray:
        return self.rows - self.positives


def levels(targets: np.ndarray, scores: np.ndarray, groups: np.ndarray | None = None) -> Levels:
    """From targets [N] (positive where above one half), scores [N] and groups int [N], 0 or more.

    Scores of any float type, nothing in which is NaN; without groups, all rows are of group 0.
    """
    keys = (score_codes(scores) << 1) | (targets > 0.5)
    if groups is not None:
        keys = (groups.astype(np.uint64) << 32) | keys
    keys.sort()
    scores_in_order = keys >> 1
    is_last = np.ones(len(keys), bool)
    np.not_equal(scores_in_order[1:], scores_in_order[:-1], out=is_last[:-1])
    last = np.flatnonzero(is_last)
    positives = np.cumsum(keys & 1, dtype=np.int64)[last]
    return Levels(
        groups=(keys[last] >> 32 if groups is not None else np.zeros(len(last))).astype(np.int32),
        rows=np.diff(last, prepend=-1),
        positives=np.diff(positives, prepend=0),
    )


def score_codes(scores: np.ndarray) -> np.ndarray:
    """Integers [N] in the order of the scores, uint32 below 2**31."""
    if scores.dtype == np.float32 and scores.min(initial=0.0) >= 0:
        return (scores + np.float32(0)).view(np.uint32)  # + 0 makes one zero of two
    return np.unique(scores, return_inverse=True)[1].astype(np.uint32)
