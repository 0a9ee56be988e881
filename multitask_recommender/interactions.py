"""Interactions: checked columns of events with their user and item tables.

The only currency of data: datasets make it, splits cut it, everything else reads it. It is checked
once, here, and trusted inside.

Ids are dense and begin at 1; 0 is padding and unknown. Row `r` of a table belongs to id `r`, so
every table column has R + 1 rows, the first of them for the unknown. The vocabulary is the given
catalogue plus the training events: ids 1..num_known. Ids above were met in held-out rows only:
to a model they are unknown (0), to evaluation a relevant item that can only be missed.
"""

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from multitask_recommender import columns
from multitask_recommender.errors import DataError
from multitask_recommender.given_negatives import GivenNegatives
from multitask_recommender.schema import ALL_PARTS, ITEM_ID, PAD, RESERVED, TIMESTAMP, USER_ID


class IdWords(Sequence):
    """Raw ids as the words of a vocabulary, each made when it is asked for: there are millions."""

    def __init__(self, raw_ids: np.ndarray) -> None:
        self._raw_ids = raw_ids

    def __len__(self) -> int:
        return len(self._raw_ids)

    def __getitem__(self, place: int | slice) -> str | tuple[str, ...]:
        if isinstance(place, slice):
            return tuple(map(str, self._raw_ids[place]))
        return str(self._raw_ids[place])


@dataclasses.dataclass(frozen=True)
class Feature:
    """One column of a user or item table, of R + 1 rows, or of the events, of N.

    categorical: integer codes, [R + 1] or, with several values a row, [R + 1, M] padded with 0.
        Code c stands for `vocabulary[c - 1]`, 0 for missing. With `of_items`, codes are item ids,
        and the split that renumbers items renumbers them.
    numeric: `vocabulary` is None; float32 [R + 1], NaN where missing.
    """

    values: np.ndarray
    vocabulary: Sequence[str] | None = None
    of_items: bool = False

    @property
    def is_categorical(self) -> bool:
        return self.vocabulary is not None

    def take(self, rows: np.ndarray) -> "Feature":
        """The same feature of the rows at positions `rows`, or where a mask is true."""
        return dataclasses.replace(self, values=self.values[rows])

    def recoded(self, new_ids: np.ndarray, items: "Entities") -> "Feature":
        """With the new ids of items, by old id [I + 1], where codes are item ids; else as it is.

        What is outside the vocabulary becomes missing.
        """
        if not self.of_items:
            return self
        codes = items.known(new_ids)[self.values]
        return Feature(codes, IdWords(items.raw_ids[: items.num_known]), of_items=True)


Features = Mapping[str, Feature]  # by name; columns of one table, or of the events


@dataclasses.dataclass(frozen=True)
class Entities:
    """The users, or the items: raw ids in the order of their dense ids, and their features."""

    raw_ids: np.ndarray  # [R] int64 or str; dense id r is raw_ids[r - 1]
    num_known: int  # ids 1..num_known are the vocabulary
    features: Features = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.num_known <= len(self.raw_ids):
            raise DataError(f"num_known is {self.num_known} of {len(self.raw_ids)} rows.")
        for name, feature in self.features.items():
            if len(feature.values) != len(self.raw_ids) + 1:
                raise DataError(
                    f"Feature {name} has {len(feature.values)} rows, expected "
                    f"{len(self.raw_ids) + 1} (one for the unknown, {len(self.raw_ids)} ids)."
                )

    @property
    def vocabulary(self) -> np.ndarray:
        """The raw ids of dense ids 1..num_known."""
        return self.raw_ids[: self.num_known]

    def known(self, ids: np.ndarray) -> np.ndarray:
        """The same ids, with those outside the vocabulary replaced by 0."""
        if self.num_known == len(self.raw_ids) or ids.max(initial=PAD) <= self.num_known:
            return ids
        return np.where(ids > self.num_known, PAD, ids)

    def take(self, order: np.ndarray, num_known: int) -> "Entities":
        """The rows of dense ids `order` [R], which become ids 1..R in that order."""
        rows = np.concatenate([[0], order])  # row 0 stays the unknown
        features = {name: feature.take(rows) for name, feature in self.features.items()}
        return Entities(self.raw_ids[order - 1], num_known, features)


@dataclasses.dataclass(frozen=True)
class Source:
    """Where the rows came from, for the run's record."""

    name: str
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)  # path -> md5
    warnings: tuple[str, ...] = ()  # said loudly, and written into every table and file of a run


@dataclasses.dataclass(frozen=True)
class Interactions:
    """Events: who met what, when, and what came of it.

    A label without a mask in `observed` is observed in every row. Labels may be of any type of
    number: what is 0 or 1 in millions of rows takes a byte. `timestamps` are seconds UTC or, for a
    source that is ordered but has no clock, any number that grows with time; None where the source
    has neither. Where `ordered_by_user`, they order each user's own events and say nothing of two
    users. `parts` holds an index into schema.ALL_PARTS for sources with given splits, and
    `negatives` what such a source wants its test events ranked among. `oracle` scores as well as
    the planted structure of a synthetic source allows.

    `context` are features of the event itself. Those of them in `post_exposure` are known only
    after what is to be predicted has happened; user features in `future_features` tell early events
    of a user of later ones. Both are traps, which traps.py looks for.

    `log_features` is for features that the events themselves tell, of which held-out events must
    tell nothing: given a mask [N] of the rows to learn from, it returns those of all users, of
    all items, and of the events. `splits.split` calls it and adds them to the tables and to the
    context, and the parts have None.
    """

    user_ids: np.ndarray  # [N] int32
    item_ids: np.ndarray  # [N] int32
    users: Entities
    items: Entities
    labels: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)  # numbers [N]
    observed: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)  # bool [N]
    timestamps: np.ndarray | None = None  # [N] integers
    parts: np.ndarray | None = None  # [N] int8
    source: Source = Source("unnamed")
    oracle: Any = None
    log_features: Callable[[np.ndarray], tuple[Features, Features, Features]] | None = None
    context: Features = dataclasses.field(default_factory=dict)
    post_exposure: frozenset[str] = frozenset()
    future_features: frozenset[str] = frozenset()
    ordered_by_user: bool = False
    negatives: GivenNegatives | None = None

    def __post_init__(self) -> None:
        self._check_lengths()
        self._check_ids("user_ids", self.user_ids, self.users)
        self._check_ids("item_ids", self.item_ids, self.items)
        if self.negatives is not None:
            self.negatives.check(len(self.items.raw_ids))
        self._check_names()
        for name, values in self.labels.items():
            if values.dtype.kind in "biu":
                continue  # finite by their type
            row = _first(~np.isfinite(values) & self.is_observed(name))
            if row is not None:
                raise DataError(
                    f"Label {name} is {values[row]} in row {row}: use a finite number, or leave "
                    "the value out to mark it unobserved."
                )
        if self.parts is not None and not np.isin(self.parts, np.arange(len(ALL_PARTS))).all():
            raise DataError(f"parts must be 0, 1, 2 or 3 ({', '.join(ALL_PARTS)}).")

    def _check_names(self) -> None:
        for kind, names in (("label", self.labels), ("context feature", self.context)):
            for name in names.keys() & set(RESERVED):
                raise DataError(
                    f"A {kind} is called {name}, which means something else: rename it."
                )
        for name in self.labels.keys() & self.context.keys():
            raise DataError(f"{name} is a label and a context feature: rename one of them.")

    def _check_lengths(self) -> None:
        columns = {"item_ids": self.item_ids, **self.labels, **self.observed}
        columns |= {name: feature.values for name, feature in self.context.items()}
        columns |= {"timestamps": self.timestamps, "parts": self.parts}
        columns |= {"negatives": self.negatives and self.negatives.lines}
        for name, column in columns.items():
            if column is not None and len(column) != len(self.user_ids):
                raise DataError(
                    f"{name} has {len(column)} rows, user_ids has {len(self.user_ids)}."
                )
        unknown = sorted(set(self.observed) - set(self.labels))
        if unknown:
            raise DataError(f"observed names {unknown}, which are not labels.")

    def _check_ids(self, name: str, ids: np.ndarray, entities: Entities) -> None:
        # Two numbers first: masks of a hundred million rows take memory.
        if len(ids) and (ids.min() < 1 or ids.max() > len(entities.raw_ids)):
            row = _first((ids < 1) | (ids > len(entities.raw_ids)))
            raise DataError(
                f"{name} is {ids[row]} in row {row}, expected 1..{len(entities.raw_ids)}."
            )

    def __len__(self) -> int:
        return len(self.user_ids)

    @property
    def num_users(self) -> int:
        """Users of the vocabulary; their ids are 1..num_users."""
        return self.users.num_known

    @property
    def num_items(self) -> int:
        """Items of the vocabulary; their ids are 1..num_items."""
        return self.items.num_known

    @property
    def has_clock(self) -> bool:
        """Whether times compare events of two users."""
        return self.timestamps is not None and not self.ordered_by_user

    def is_observed(self, label: str) -> np.ndarray:
        """Which rows [N] hold a value of the label."""
        return self.observed.get(label, np.ones(len(self), bool))

    def positives(self, label: str | None) -> np.ndarray | None:
        """A mask [N] of the rows whose label is known to be 1; None, for all, without a label."""
        return None if label is None else self.is_observed(label) & (self.labels[label] == 1)

    @property
    def given_negatives(self) -> np.ndarray | None:
        """Item ids [N, n] that the source wants each event ranked among; None unless it has them
        for all.
        """
        return None if self.negatives is None else self.negatives.of_all()

    def inputs(
        self, rows: np.ndarray | slice, with_timestamps: bool = True
    ) -> dict[str, np.ndarray]:
        """What may be known of some rows before it is known what comes of them.

        Ids within the vocabulary, int32 [n] (0 for what is outside), timestamps where there are
        any, and context features by their names.
        """
        arrays = {
            USER_ID: self.users.known(self.user_ids[rows]).astype(np.int32, copy=False),
            ITEM_ID: self.items.known(self.item_ids[rows]).astype(np.int32, copy=False),
        }
        if with_timestamps and self.timestamps is not None:
            arrays[TIMESTAMP] = self.timestamps[rows].astype(np.int64)
        for name, feature in self.context.items():
            kind = np.int32 if feature.is_categorical else np.float32
            arrays[name] = feature.values[rows].astype(kind, copy=False)
        return arrays

    def narrowed(self, labels: Collection[str], context: Collection[str]) -> "Interactions":
        """The same events with no more labels and context features than these."""

        def only(columns: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
            return {name: column for name, column in columns.items() if name in names}

        return dataclasses.replace(
            self,
            labels=only(self.labels, labels),
            observed=only(self.observed, labels),
            context=only(self.context, context),
        )

    def take(self, rows: np.ndarray) -> "Interactions":
        """The events at positions `rows` (or where a mask is true), with the same tables.

        Without `log_features`, whose mask is of the rows as they were.
        """
        return dataclasses.replace(
            self,
            user_ids=columns.take(self.user_ids, rows),
            item_ids=columns.take(self.item_ids, rows),
            labels={name: columns.take(each, rows) for name, each in self.labels.items()},
            observed={name: columns.take(each, rows) for name, each in self.observed.items()},
            timestamps=None if self.timestamps is None else columns.take(self.timestamps, rows),
            parts=None if self.parts is None else columns.take(self.parts, rows),
            context={name: feature.take(rows) for name, feature in self.context.items()},
            negatives=self.negatives and self.negatives.take(rows),
            log_features=None,
        )


def _first(mask: np.ndarray) -> int | None:
    """The first row where the mask is true."""
    return int(np.argmax(mask)) if mask.any() else None
