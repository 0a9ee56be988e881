"""Cuts the events into train, validation and test, and settles the vocabulary.

    random          pairs drawn by seed
    time            the latest events, over all users
    leave_last_out  each user's last pair is test, the last but one validation
    given           as the source's own files have it; `fold` chooses where there are several

`test` is a fraction of all, `validation` a fraction of what then remains for training. A repeated
(user, item) pair lies on one side only, unless given files say otherwise: where the split goes by
time, its rows on the other side are dropped.

The vocabulary is the given catalogue and whatever occurs in train *or validation*. It is thus the
same for the fit on train and for the refit on both; what only validation has is a candidate that
the fit on train has learnt nothing about. Features that come from the log are of the same rows.
"""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Literal

import numpy as np
import pydantic

from multitask_recommender.errors import DataError
from multitask_recommender.interactions import Entities, Features, Interactions
from multitask_recommender.schema import PARTS, TEST, TRAIN, VALIDATION
from multitask_recommender.settings import Settings as StrictSettings

_TRAIN, _VALIDATION, _TEST = (PARTS.index(part) for part in (TRAIN, VALIDATION, TEST))
_DROPPED = -1


class Settings(StrictSettings):
    name: Literal["random", "time", "leave_last_out", "given"] = "random"
    test: float = pydantic.Field(0.2, ge=0, lt=1)
    validation: float = pydantic.Field(0.1, ge=0, lt=1)  # of what is not test; 0 for none
    seed: int = pydantic.Field(42, ge=0)
    fold: str | None = None  # MovieLens 100k: u1 .. u5, ua, ub

    @pydantic.model_validator(mode="after")
    def _fold_is_of_given_splits(self) -> "Settings":
        if self.fold is not None and self.name != "given":
            raise ValueError(f"fold is {self.fold!r}, which goes with name 'given' only")
        return self


@dataclasses.dataclass(frozen=True)
class Splits:
    """Three parts with the same tables, known ids first; each part in the order of the log."""

    train: Interactions
    validation: Interactions
    test: Interactions
    num_dropped: int = 0  # rows in no part: repetitions of pairs, see `_time`, `_leave_last_out`

    @functools.cached_property
    def train_and_validation(self) -> Interactions:
        """For the refit: the rows of train, then those of validation."""
        return _joined(self.train, self.validation)

    def counts(self) -> dict[str, dict[str, int]]:
        """Per part, its rows and how many of them have a user or item outside the vocabulary."""
        parts = {TRAIN: self.train, VALIDATION: self.validation, TEST: self.test}
        return {name: {"rows": len(part), **count_unknown(part)} for name, part in parts.items()}


def count_unknown(part: Interactions) -> dict[str, int]:
    """How many rows have an unknown user, an unknown item."""
    return {
        "unknown_users": int(np.count_nonzero(part.user_ids > part.num_users)),
        "unknown_items": int(np.count_nonzero(part.item_ids > part.num_items)),
    }


def split(interactions: Interactions, settings: Settings) -> Splits:
    """Raises DataError where the rows cannot be cut in this way, or nothing is left to train on."""
    if len(interactions) == 0:
        raise DataError(f"{interactions.source.name} has no rows to split.")
    parts = _PARTS_OF[settings.name](interactions, settings)  # [N]
    if not (parts == _TRAIN).any():
        raise DataError(
            f"No row of {len(interactions)} is left to train on: split.name is {settings.name}, "
            f"test {settings.test:g}, validation {settings.validation:g}."
        )
    learnt = (parts == _TRAIN) | (parts == _VALIDATION)
    interactions = _known_first(_with_log_features(interactions, learnt), learnt)
    train, validation, test = (interactions.take(parts == part) for part in range(len(PARTS)))
    return Splits(train, validation, test, int(np.count_nonzero(parts == _DROPPED)))


def _random(interactions: Interactions, settings: Settings) -> np.ndarray:
    """The first round((1 - test) * n) of `default_rng(seed).permutation(n)` are not test.

    n counts pairs in the order of their first row: rows, where no pair is repeated. From the
    remaining pairs in that order, `default_rng([seed, 1])` draws validation in the same way.
    """
    pairs, num_pairs = _pairs(interactions)
    order = np.random.default_rng(settings.seed).permutation(num_pairs)
    parts = np.full(num_pairs, _TEST, np.int8)
    parts[order[: round((1 - settings.test) * num_pairs)]] = _TRAIN
    return _without_validation(parts, settings)[pairs]


def _without_validation(parts: np.ndarray, settings: Settings) -> np.ndarray:
    """The parts with a random fraction of train turned into validation."""
    train = np.flatnonzero(parts == _TRAIN)
    order = np.random.default_rng([settings.seed, 1]).permutation(len(train))
    held_out = order[round((1 - settings.validation) * len(train)) :]
    parts[train[held_out]] = _VALIDATION
    return parts


def _time(interactions: Interactions, settings: Settings) -> np.ndarray:
    """Rows by time, those of one second in the order of the log: first train, then the others.

    A pair belongs to the part of its first row: its rows after the end of that part are in none.
    So train and validation hold nothing later than their cuts, and held-out pairs are new.
    """
    times = _timestamps(interactions, settings)
    num_rows = len(times)
    position = np.empty(num_rows, np.int64)
    position[np.argsort(times, kind="stable")] = np.arange(num_rows)
    pairs, num_pairs = _pairs(interactions)
    first = np.full(num_pairs, num_rows)
    np.minimum.at(first, pairs, position)
    num_learnt = round((1 - settings.test) * num_rows)  # train and validation
    num_train = round((1 - settings.validation) * num_learnt)
    cuts = [num_train, num_learnt]
    parts = np.searchsorted(cuts, position, side="right").astype(np.int8)  # 0, 1 or 2
    parts[parts != np.searchsorted(cuts, first[pairs], side="right")] = _DROPPED
    return parts


def _leave_last_out(interactions: Interactions, settings: Settings) -> np.ndarray:
    """A pair counts at its last event; ties in the order of the log.

    Of the two pairs that are held out only that event is kept: their earlier rows are in no part.
    Users with fewer than three pairs stay in train. Of the fractions, only `validation: 0` matters:
    then nothing but the last pair is held out.
    """
    times = _timestamps(interactions, settings)
    pairs, num_pairs = _pairs(interactions)
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
    part_of_pair = np.full(num_pairs, _TRAIN, np.int8)
    part_of_pair[latest_first[enough & (rank == 0)]] = _TEST
    if settings.validation > 0:
        part_of_pair[latest_first[enough & (rank == 1)]] = _VALIDATION
    if not enough.any():
        raise DataError("split.name is leave_last_out, but no user has three different items.")
    parts = part_of_pair[pairs]
    is_last = np.zeros(len(order), bool)
    is_last[last] = True
    parts[(parts != _TRAIN) & ~is_last] = _DROPPED
    return parts


def _given(interactions: Interactions, settings: Settings) -> np.ndarray:
    """Validation is drawn from train as `random` draws it, where there are no rows for it."""
    if interactions.parts is None:
        raise DataError(
            f"split.name is given, but {interactions.source.name} has no given parts. Name one in "
            "split.fold (MovieLens 100k: u1 .. u5, ua, ub), or give a table as a folder with "
            "train, validation and test files."
        )
    parts = interactions.parts.astype(np.int8)
    if (parts == _VALIDATION).any():
        return parts
    train = np.flatnonzero(parts == _TRAIN)
    pairs, num_pairs = _pairs(interactions.take(train))
    parts[train] = _without_validation(np.full(num_pairs, _TRAIN, np.int8), settings)[pairs]
    return parts


_PARTS_OF: Mapping = {
    "random": _random,
    "time": _time,
    "leave_last_out": _leave_last_out,
    "given": _given,
}


def _timestamps(interactions: Interactions, settings: Settings) -> np.ndarray:
    if interactions.timestamps is None:
        raise DataError(
            f"split.name is {settings.name}, but {interactions.source.name} has no timestamps. "
            "Use split.name=random, or data with a column of times."
        )
    return interactions.timestamps


def _pairs(interactions: Interactions) -> tuple[np.ndarray, int]:
    """Which pair each row [N] is of, numbered by first appearance, and how many there are."""
    num_rows, stride = len(interactions), len(interactions.items.raw_ids) + 1
    keys = interactions.user_ids.astype(np.int64) * stride + interactions.item_ids
    in_order = np.sort(keys)
    if (in_order[1:] != in_order[:-1]).all():
        return np.arange(num_rows), num_rows
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    number = np.empty(len(first), np.int64)
    number[np.argsort(first)] = np.arange(len(first))
    return number[inverse], len(first)


def _with_log_features(interactions: Interactions, learnt: np.ndarray) -> Interactions:
    """The tables get the features that the learnt rows tell."""
    if interactions.log_features is None:
        return interactions
    users, items = (
        dataclasses.replace(entities, features={**entities.features, **features})
        for entities, features in zip(
            (interactions.users, interactions.items),
            interactions.log_features(learnt),
            strict=True,
        )
    )
    return dataclasses.replace(interactions, users=users, items=items, log_features=None)


def _known_first(interactions: Interactions, learnt: np.ndarray) -> Interactions:
    """Renumbers users and items so that the vocabulary is 1..num_known."""
    users, new_users = _renumbered(interactions.users, interactions.user_ids, learnt)
    items, new_items = _renumbered(interactions.items, interactions.item_ids, learnt)

    def recoded(features: Features) -> Features:
        return {name: each.recoded(new_items, items) for name, each in features.items()}

    return dataclasses.replace(
        interactions,
        users=dataclasses.replace(users, features=recoded(users.features)),
        items=dataclasses.replace(items, features=recoded(items.features)),
        user_ids=new_users[interactions.user_ids],
        item_ids=new_items[interactions.item_ids],
        context=recoded(interactions.context),
    )


def _renumbered(
    entities: Entities, ids: np.ndarray, learnt: np.ndarray
) -> tuple[Entities, np.ndarray]:
    """Catalogue first, then what occurs in the learnt rows, then the rest; else as they were.

    Returns the new id of each old one besides, [R + 1].
    """
    num_rows = len(entities.raw_ids)
    known = np.zeros(num_rows + 1, bool)
    known[1 : entities.num_known + 1] = True
    known[ids[learnt]] = True
    known[0] = True  # stays the unknown, before all others
    order = np.argsort(~known, kind="stable")
    new_ids = np.empty(num_rows + 1, ids.dtype)
    new_ids[order] = np.arange(num_rows + 1)
    return entities.take(order[1:], int(known.sum()) - 1), new_ids


def _joined(first: Interactions, second: Interactions) -> Interactions:
    """The rows of two parts of the same split."""

    def both(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.concatenate([a, b])

    optional = {
        name: None if column is None else both(column, getattr(second, name))
        for name in ("timestamps", "parts")
        for column in [getattr(first, name)]
    }
    return dataclasses.replace(
        first,
        user_ids=both(first.user_ids, second.user_ids),
        item_ids=both(first.item_ids, second.item_ids),
        labels={name: both(a, second.labels[name]) for name, a in first.labels.items()},
        observed={name: both(a, second.observed[name]) for name, a in first.observed.items()},
        context={
            name: dataclasses.replace(
                feature, values=both(feature.values, second.context[name].values)
            )
            for name, feature in first.context.items()
        },
        **optional,
    )
