"""The protocols of Tenrec's paper, by name, and what each would be without leaks.

Yuan et al., "Tenrec: A Large-scale Multipurpose Benchmark Dataset for Recommender Systems", NeurIPS
2022 Datasets and Benchmarks, section 4, and its official code.

    tenrec_ctr, tenrec_mtl   all clicks, and two exposures without a click for each; 8:1:1 at random
    tenrec_topn              clicks of users with ten or more; 8:1:1 at random, of each user
    tenrec_sbr               the latest 30 clicks of users with ten or more; the last is test, the
                             last but one validation

With `leak_free` each user's rows are cut in their order, and a pair that comes again in a later
part is dropped there.
"""

import dataclasses

import numpy as np

from multitask_recommender.errors import DataError
from multitask_recommender.interactions import Interactions
from multitask_recommender.splits import cuts
from multitask_recommender.splits.settings import Settings

_CLICK = "click"
_NEGATIVES = 2  # for each click
_MIN_CLICKS = 10
_MAX_SESSION = 30


def clicks_and_negatives(interactions: Interactions, settings: Settings) -> np.ndarray:
    """tenrec_ctr and tenrec_mtl. Negatives are drawn by `default_rng([seed, 2])`."""
    clicks = _clicks(interactions, settings)
    negatives = np.flatnonzero(interactions.is_observed(_CLICK) & ~clicks)
    number = min(_NEGATIVES * int(clicks.sum()), len(negatives))
    np.random.default_rng([settings.seed, 2]).shuffle(negatives)
    chosen = clicks
    chosen[negatives[:number]] = True
    del negatives  # with hundreds of millions of rows, memory
    rows = np.flatnonzero(chosen)
    parts = np.full(len(interactions), cuts.DROPPED, np.int8)
    if settings.leak_free:
        parts[rows] = cuts.user_order(_bare(interactions, rows), settings)
        return parts
    np.random.default_rng(settings.seed).shuffle(rows)
    tenth = len(rows) // 10
    parts[rows] = cuts.TRAINED
    parts[rows[:tenth]] = cuts.TESTED
    parts[rows[tenth : 2 * tenth]] = cuts.VALIDATED
    return parts


def clicks_of_active_users(interactions: Interactions, settings: Settings) -> np.ndarray:
    """tenrec_topn."""
    rows = _rows_of_active_users(interactions, settings)
    chosen = _bare(interactions, rows)
    if settings.leak_free:
        key = cuts.timestamps_of(chosen, settings)
    else:
        key = np.random.default_rng(settings.seed).random(len(rows))
    from_last, size = cuts.places(chosen.user_ids, key)
    tenth = size // 10
    cut = np.full(len(rows), cuts.TRAINED, np.int8)
    cut[from_last < 2 * tenth] = cuts.VALIDATED
    cut[from_last < tenth] = cuts.TESTED
    if settings.leak_free:
        cut = cuts.without_repetitions(chosen, cut)
    return _spread(cut, rows, len(interactions))


def sessions(interactions: Interactions, settings: Settings) -> np.ndarray:
    """tenrec_sbr."""
    rows = _rows_of_active_users(interactions, settings)
    chosen = _bare(interactions, rows)
    key = cuts.timestamps_of(chosen, settings)
    from_last, _ = cuts.places(chosen.user_ids, key)
    cut = np.full(len(rows), cuts.TRAINED, np.int8)
    cut[from_last == 1] = cuts.VALIDATED
    cut[from_last == 0] = cuts.TESTED
    cut[from_last >= _MAX_SESSION] = cuts.DROPPED
    if settings.leak_free:
        cut = cuts.without_repetitions(chosen, cut)
    return _spread(cut, rows, len(interactions))


def notes(settings: Settings) -> tuple[str, ...]:
    """How a protocol differs from the paper's, or from one without leaks; nothing of other cuts."""
    if not settings.name.startswith("tenrec_"):
        return ()
    if settings.leak_free:
        return (
            f"{settings.name}, leak-free: each user's rows are cut in their order. The paper cuts "
            "otherwise, so its tables are no comparison.",
        )
    how = "by order" if settings.name == "tenrec_sbr" else "at random, so train knows the future"
    return (
        f"{settings.name}, as in the paper: rows are cut {how}, and pairs of train may come again "
        "in test. split.leak_free=true cuts by each user's order, without such pairs.",
    )


def _bare(interactions: Interactions, rows: np.ndarray) -> Interactions:
    """The events at these positions: no more of them than cuts go by."""
    columns = {"labels": {}, "observed": {}, "context": {}, "parts": None}
    return dataclasses.replace(interactions, **columns).take(rows)


def _clicks(interactions: Interactions, settings: Settings) -> np.ndarray:
    if _CLICK not in interactions.labels:
        raise DataError(
            f"split.name is {settings.name}, which goes by clicks, but {interactions.source.name} "
            f"has no label {_CLICK}. Labels here: {', '.join(interactions.labels) or 'none'}."
        )
    return interactions.positives(_CLICK)


def _rows_of_active_users(interactions: Interactions, settings: Settings) -> np.ndarray:
    """Positions of the clicks of users with enough of them."""
    clicks = _clicks(interactions, settings)
    counts = np.bincount(interactions.user_ids[clicks], minlength=len(interactions.users.raw_ids))
    is_active = np.append(counts, 0) >= _MIN_CLICKS
    rows = np.flatnonzero(clicks & is_active[interactions.user_ids])
    if not len(rows):
        raise DataError(
            f"split.name is {settings.name}, but no user of {interactions.source.name} has "
            f"{_MIN_CLICKS} clicks: the most is {counts.max(initial=0)}."
        )
    return rows


def _spread(cut: np.ndarray, rows: np.ndarray, num_rows: int) -> np.ndarray:
    parts = np.full(num_rows, cuts.DROPPED, np.int8)
    parts[rows] = cut
    return parts
