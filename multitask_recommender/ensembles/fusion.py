"""Scores and predictions of several scorers on one scale, on which they can be added.

Scores of one query are only as good as their order, and their size differs from model to model:
`standardised` takes the mean over all items of the vocabulary from them and divides by their
deviation, so that a member that tells items well apart for a query does so in the sum;
`reciprocal_ranks` looks at their order alone. Labels are added as logits, stars as they are.
"""

from collections.abc import Sequence

import numpy as np

from multitask_recommender.ensembles.recipe import Blend

_RANK_CONSTANT = 60.0  # k of Cormack et al.
SUREST = 1e-7  # a probability as near to 0 or 1 as this counts as this near: logits are finite


def standardised(scores: np.ndarray) -> np.ndarray:
    """Scores [Q, I] with the mean 0 and the deviation 1 in each row; 0 where all are the same."""
    centred = scores - scores.mean(axis=1, dtype=np.float64, keepdims=True)
    deviation = np.sqrt(np.square(centred).mean(axis=1, keepdims=True))
    known = deviation > 0
    return np.where(known, centred / np.where(known, deviation, 1.0), 0.0).astype(np.float32)


def reciprocal_ranks(scores: np.ndarray) -> np.ndarray:
    """1 / (60 + rank) for scores [Q, I], the best of a row having the rank 1.

    Cormack, Clarke and Buettcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank
    Learning Methods", SIGIR 2009. Ranks are among all items of the vocabulary, those that the
    user has seen included. Items of one score all have the rank of the last of them: a member that
    cannot tell items apart prefers none.
    """
    ascending = np.sort(scores, axis=1)
    below = [
        np.searchsorted(line, row, "left") for line, row in zip(ascending, scores, strict=True)
    ]
    ranks = scores.shape[1] - np.reshape(below, scores.shape)
    return (1.0 / (_RANK_CONSTANT + ranks)).astype(np.float32)


def logits(probabilities: np.ndarray) -> np.ndarray:
    """Of probabilities of any shape, float64."""
    sure = np.clip(np.asarray(probabilities, np.float64), SUREST, 1 - SUREST)
    return np.log(sure) - np.log1p(-sure)


def probability(blend: Blend, members: Sequence[np.ndarray | None]) -> np.ndarray:
    """The fused probability [B] of each member's, None where it has none: a sum of logits."""
    total = _sum(blend, [None if each is None else logits(each) for each in members])
    return (1.0 / (1.0 + np.exp(-total))).astype(np.float32)


def stars(blend: Blend, members: Sequence[np.ndarray | None]) -> np.ndarray:
    """The fused stars [B] of each member's, None where it has none."""
    return _sum(blend, members).astype(np.float32)


def _sum(blend: Blend, members: Sequence[np.ndarray | None]) -> np.ndarray:
    parts = [
        weight * each.astype(np.float64)
        for weight, each in zip(blend.weights, members, strict=True)
        if weight and each is not None
    ]
    return np.sum(parts, axis=0) + blend.intercept
