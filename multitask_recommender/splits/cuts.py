"""Which part each row goes to: the cuts that any source can have."""

import functools

import numpy as np

from multitask_recommender import columns, threads, user_sessions
from multitask_recommender.errors import DataError
from multitask_recommender.interactions import Interactions
from multitask_recommender.pairs import keys_of, repeated
from multitask_recommender.schema import ALL_PARTS, FOLD_IN, PARTS, TEST, TRAIN, VALIDATION
from multitask_recommender.splits.settings import Settings

TRAINED, VALIDATED, TESTED, FOLDED_IN = map(ALL_PARTS.index, (TRAIN, VALIDATION, TEST, FOLD_IN))
DROPPED = -1  # a row of no part


def random(interactions: Interactions, settings: Settings) -> np.ndarray:
    """The first round((1 - test) * n) of `default_rng(seed).permutation(n)` are not test.

    n counts pairs in the order of their first row: rows, where no pair is repeated. From the
    remaining pairs in that order, `default_rng([seed, 1])` draws validation in the same way; or,
    with `validation_by: user`, of each user's two or more pairs the first of its permutation.
    """
    pairs, num_pairs = pairs_of(interactions)
    order = np.random.default_rng(settings.seed).permutation(num_pairs)
    parts = np.full(num_pairs, TESTED, np.int8)
    parts[order[: round((1 - settings.test) * num_pairs)]] = TRAINED
    return _with_validation(parts, pairs, interactions.user_ids, settings)[pairs]


def _with_validation(
    parts: np.ndarray, pairs: np.ndarray, users: np.ndarray, settings: Settings
) -> np.ndarray:
    """The parts of pairs [P] with some of train turned into validation.

    Rows are of `pairs` [N] and of `users` [N].
    """
    train = np.flatnonzero(parts == TRAINED)
    order = train[np.random.default_rng([settings.seed, 1]).permutation(len(train))]
    if settings.validation_by == "share" or settings.validation == 0:
        parts[order[round((1 - settings.validation) * len(order)) :]] = VALIDATED
        return parts
    user_of_pair = np.empty(len(parts), users.dtype)
    user_of_pair[pairs] = users
    _, first, sizes = np.unique(user_of_pair[order], return_index=True, return_counts=True)
    parts[order[first[sizes >= 2]]] = VALIDATED
    return parts


def time(interactions: Interactions, settings: Settings) -> np.ndarray:
    """Rows by time, those of one second in the order of the log: first train, then the others.

    A pair belongs to the part of its first row: its rows after the end of that part are in none.
    So train and validation hold nothing later than their cuts, and held-out pairs are new.
    """
    times = timestamps_of(interactions, settings)
    if interactions.ordered_by_user:
        raise DataError(
            f"split.name is time, but {interactions.source.name} has no clock: its order is of "
            "each user's own events. Use split.name=user_order, or leave_last_out."
        )
    num_rows = len(times)
    position = np.empty(num_rows, np.int64)
    position[np.argsort(times, kind="stable")] = np.arange(num_rows)
    pairs, num_pairs = pairs_of(interactions)
    first = np.full(num_pairs, num_rows)
    np.minimum.at(first, pairs, position)
    num_learnt = round((1 - settings.test) * num_rows)  # train and validation
    num_train = round((1 - settings.validation) * num_learnt)
    cuts = [num_train, num_learnt]
    parts = np.searchsorted(cuts, position, side="right").astype(np.int8)  # 0, 1 or 2
    parts[parts != np.searchsorted(cuts, first[pairs], side="right")] = DROPPED
    return parts


def user_order(interactions: Interactions, settings: Settings) -> np.ndarray:
    """Of each user the last events, rounded down, are test, and those before them validation.

    A pair belongs to the part of its first row: its rows in later parts are in none. Where users
    follow one another, some of them are cut at a time: memory is that of these.
    """
    timestamps_of(interactions, settings)
    blocks = columns.runs(interactions.user_ids)
    cut = functools.partial(_order_of_some, settings=settings)
    cuts = threads.side_by_side(cut, map(interactions.take, blocks))
    parts = np.empty(len(interactions), np.int8)
    for block, of_block in zip(blocks, cuts, strict=True):
        parts[block] = of_block
    return parts


def _order_of_some(interactions: Interactions, settings: Settings) -> np.ndarray:
    times = interactions.timestamps
    from_last, size = places(interactions.user_ids, times)
    sizes = np.arange(size.max(initial=0) + 1)
    num_test = _share(sizes, settings.test)  # by size
    num_held_out = num_test + _share(sizes - num_test, settings.validation)
    parts = np.full(len(times), TRAINED, np.int8)
    parts[from_last < num_held_out[size]] = VALIDATED
    parts[from_last < num_test[size]] = TESTED
    return without_repetitions(interactions, parts)


def _share(sizes: np.ndarray, fraction: float) -> np.ndarray:
    return np.floor(sizes * fraction + 1e-9).astype(np.int32)  # 0.1 of 10 is 1, in floats too


def without_repetitions(interactions: Interactions, parts: np.ndarray) -> np.ndarray:
    """The parts, but a row whose pair is in an earlier part as well is in none."""
    rows, pairs = repeated(keys_of(interactions))
    of_rows = parts[rows]
    kept = of_rows != DROPPED
    first = np.full(len(rows), len(PARTS), np.int8)  # by pair, of which there are fewer
    np.minimum.at(first, pairs[kept], of_rows[kept])
    parts = parts.copy()
    parts[rows[of_rows > first[pairs]]] = DROPPED
    return parts


def places(users: np.ndarray, key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each row, how many of its user's come after it by the key (ties by row), of how many."""
    num_rows = len(users)
    kind = _kind_of_positions(num_rows)
    order = np.lexsort((key, users))
    ordered = users[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[:num_rows])  # by user
    sizes = np.diff(starts, append=num_rows).astype(kind)
    from_last, size = np.empty(num_rows, kind), np.empty(num_rows, kind)
    last = (starts + sizes - 1).astype(kind)
    from_last[order] = np.repeat(last, sizes) - np.arange(num_rows, dtype=kind)
    size[order] = np.repeat(sizes, sizes)
    return from_last, size


def _kind_of_positions(num_rows: int) -> type[np.signedinteger]:
    """What holds numbers of rows: half the memory where that is enough."""
    return np.int32 if num_rows <= np.iinfo(np.int32).max else np.int64


def leave_last_out(interactions: Interactions, settings: Settings) -> np.ndarray:
    """A pair counts at its last event; ties in the order of the log.

    Of the two pairs that are held out only that event is kept: their earlier rows are in no part.
    Users with fewer than three pairs stay in train. Of the fractions, only `validation: 0` matters:
    then nothing but the last pair is held out.
    """
    times = timestamps_of(interactions, settings)
    pairs, num_pairs = pairs_of(interactions)
    order = np.argsort(times, kind="stable")
    last = np.empty(num_pairs, np.int64)
    last[pairs[order]] = order  # the row of a pair's last event: later assignments win
    position = np.empty(len(order), np.int64)
    position[order] = np.arange(len(order))
    users = interactions.user_ids[last]
    latest_first = np.lexsort((-position[last], users))  # pairs, user by user
    users = users[latest_first]
    starts = np.searchsorted(users, users)  # [pairs]: where this user's pairs begin
    rank = np.arange(num_pairs) - starts
    enough = (np.searchsorted(users, users, side="right") - starts) >= 3
    part_of_pair = np.full(num_pairs, TRAINED, np.int8)
    part_of_pair[latest_first[enough & (rank == 0)]] = TESTED
    if settings.validation > 0:
        part_of_pair[latest_first[enough & (rank == 1)]] = VALIDATED
    if not enough.any():
        raise DataError("split.name is leave_last_out, but no user has three different items.")
    parts = part_of_pair[pairs]
    is_last = np.zeros(len(order), bool)
    is_last[last] = True
    parts[(parts != TRAINED) & ~is_last] = DROPPED
    return parts


def given(interactions: Interactions, settings: Settings) -> np.ndarray:
    """Validation is drawn from train, where there are no rows for it.

    As `random` draws it or, with `validation_by: session`, as `_latest_sessions`.
    """
    if interactions.parts is None:
        raise DataError(
            f"split.name is given, but {interactions.source.name} has no given parts. Name one in "
            "split.fold (MovieLens 100k: u1 .. u5, ua, ub), or give a table as a folder with "
            "train, validation and test files."
        )
    parts = interactions.parts.astype(np.int8)
    if (parts == VALIDATED).any():
        return parts
    train = np.flatnonzero(parts == TRAINED)
    if settings.validation_by == "session":
        parts[train] = _latest_sessions(interactions.take(train), settings)
        return parts
    pairs, num_pairs = pairs_of(interactions.take(train))
    drawn = np.full(num_pairs, TRAINED, np.int8)
    parts[train] = _with_validation(drawn, pairs, interactions.user_ids[train], settings)[pairs]
    return parts


def _latest_sessions(train: Interactions, settings: Settings) -> np.ndarray:
    """Holds out whole users [N]: of each the last event is validation, and those before are told.

    These users are a share of those with two events or more, rounded: they whose last events were
    the latest, by time or, where that does not compare users, by the order of the log.
    """
    from_last, size = places(train.user_ids, timestamps_of(train, settings))
    users = np.unique(train.user_ids[size >= 2])
    latest_last = users[np.argsort(user_sessions.ends(train)[users])]
    num_learnt = round((1 - settings.validation) * len(users))
    is_held_out = np.isin(train.user_ids, latest_last[num_learnt:])
    parts = np.where(from_last == 0, VALIDATED, FOLDED_IN)
    return np.where(is_held_out, parts, TRAINED).astype(np.int8)


def timestamps_of(interactions: Interactions, settings: Settings) -> np.ndarray:
    if interactions.timestamps is None:
        raise DataError(
            f"split.name is {settings.name}, but {interactions.source.name} has no timestamps. "
            "Use split.name=random, or data with a column of times."
        )
    return interactions.timestamps


def pairs_of(interactions: Interactions) -> tuple[np.ndarray, int]:
    """Which pair each row [N] is of, numbered by first appearance, and how many there are."""
    num_rows = len(interactions)
    rows, pairs = repeated(keys_of(interactions))  # mostly few: the others are pairs themselves
    first = rows[np.diff(pairs, prepend=-1) > 0]  # of each pair
    row_of_pair = np.arange(num_rows, dtype=_kind_of_positions(num_rows))  # its first, by row
    row_of_pair[rows] = first[pairs]
    is_new = np.ones(num_rows, bool)
    is_new[rows] = False
    is_new[first] = True
    number = np.cumsum(is_new, dtype=row_of_pair.dtype) - 1
    return number[row_of_pair], num_rows - len(rows) + len(first)
