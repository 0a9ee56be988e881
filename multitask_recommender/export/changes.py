"""What becomes of the items of an export: who stays, who is new, and the row that each begins with.

Dense ids 1..L are of the items that are answered; those above were removed, and are known to
histories alone: whoever has met them is no other for it. Items that stay keep their order and come
first, then those that come back or are new, in the order of their file, then those removed.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from multitask_recommender.errors import DataError
from multitask_recommender.export.raw_ids import RawIds
from multitask_recommender.histories import Rows
from multitask_recommender.layers.item_table import MEAN, UNMET, feature_of
from multitask_recommender.schema import PAD

_NEW = PAD  # in place of an id of before


@dataclasses.dataclass(frozen=True)
class Listed:
    """Items of a file, by rows [n]: raw ids, each once, and whether they are to be removed.

    features: values [n], or [n, M] padded with 0, as the model reads them, of those that it tells.
    not_learnt: by feature, how many of its words the model has never met; they count as missing.
    """

    raw_ids: np.ndarray
    removed: np.ndarray
    features: Mapping[str, np.ndarray]
    not_learnt: Mapping[str, int]


@dataclasses.dataclass(frozen=True)
class Changes:
    """sources [R]: of every id afterwards from 1, the id that it had, or 0 of one that is new.

    num_items: how many are answered, L; kept of them come first, as before.
    lines [R]: the row of the file that tells of an id, or -1.
    not_found: how many were to be removed that are not there.
    """

    listed: Listed
    sources: np.ndarray
    lines: np.ndarray
    num_items: int
    kept: int
    removed: int
    not_found: int

    @classmethod
    def of(cls, listed: Listed, items: RawIds, num_items: int) -> "Changes":
        """items: all of before, of whom the first `num_items` are answered.

        Raises DataError where nobody would be.
        """
        ids = items.dense(listed.raw_ids)
        line_of = np.full(items.number + 1, -1)
        line_of[ids] = np.arange(len(ids))
        stays = np.arange(1, items.number + 1) <= num_items
        stays[ids[listed.removed & (ids != PAD)] - 1] = False
        kept = np.flatnonzero(stays) + 1
        comes = np.flatnonzero(~listed.removed & ((ids == _NEW) | (ids > num_items)))
        answered = np.concatenate([kept, ids[comes]])
        if not len(answered):
            raise DataError(f"All {num_items} items would be removed: an export needs one.")
        gone = np.setdiff1d(np.arange(1, items.number + 1), answered)
        return cls(
            listed,
            sources=np.concatenate([answered, gone]),
            lines=np.concatenate([line_of[kept], comes, np.full(len(gone), -1)]),
            num_items=len(answered),
            kept=len(kept),
            removed=num_items - len(kept),
            not_found=int((listed.removed & ((ids == PAD) | (ids > num_items))).sum()),
        )

    @property
    def added(self) -> int:
        return self.num_items - self.kept

    @property
    def returned(self) -> int:
        """Of those that are added, who was removed before."""
        return int((self.sources[self.kept : self.num_items] != _NEW).sum())

    @property
    def replaced(self) -> int:
        """Of those that are kept, whose features the file tells."""
        return self._named if self.listed.features else 0

    @property
    def unchanged(self) -> int:
        """Of those that are kept, whom the file names without telling anything."""
        return 0 if self.listed.features else self._named

    @property
    def told(self) -> np.ndarray:
        """The ids of those that are new, come back, or are replaced, ascending."""
        ids = np.arange(1, self.num_items + 1)
        is_told = self.lines[: self.num_items] >= 0
        return ids[is_told & bool(self.listed.features) | (ids > self.kept)]

    @property
    def same(self) -> np.ndarray:
        """The ids of all others that are answered, ascending: nothing about them changes."""
        return np.setdiff1d(np.arange(1, self.num_items + 1), self.told)

    def raw_ids(self, items: RawIds) -> np.ndarray:
        """In the order of ids, [R]."""
        raw = items.raw(self.sources)
        is_new = self.sources == _NEW
        raw[is_new] = self.listed.raw_ids[self.lines[is_new]]
        return raw

    def table(self, rows: np.ndarray, start: str, met: np.ndarray, unmet: float) -> np.ndarray:
        """A table [R + 1, ...] afterwards, of one before (layers/item_table.py).

        met: bool, of every id of before, whether training has met it; unmet: the popularity of one
        that it has not.
        """
        feature = feature_of(start)
        begin = np.zeros(rows.shape[1:], rows.dtype)
        if feature is not None and rows.dtype.kind == "f":
            begin[...] = np.nan
        elif start == UNMET:
            begin[...] = unmet
        elif start == MEAN:
            chosen = rows[met] if met.any() else rows[1:]
            begin = chosen.mean(axis=0, dtype=np.float64).astype(rows.dtype)
        taken = rows[np.append(PAD, self.sources)]
        taken[1:][self.sources == _NEW] = begin
        told = self.listed.features.get(feature)
        if told is None:
            return taken
        taken, told = _equally_wide([taken, told])
        is_told = np.flatnonzero(self.lines >= 0)
        taken[1 + is_told] = told[self.lines[is_told]]
        return taken

    def numbers(self, values: np.ndarray, of_new: float) -> np.ndarray:
        """Values [R] afterwards, of those before."""
        found = np.append(np.float32(of_new), values)[self.sources]
        return found.astype(values.dtype)

    def lists(self, rows: Rows) -> Rows:
        """Lists of ids, in those of afterwards."""
        splits, members = rows
        is_old = self.sources != _NEW
        new_ids = np.zeros(int(self.sources.max()) + 1, members.dtype)
        new_ids[self.sources[is_old]] = np.flatnonzero(is_old) + 1
        return splits, new_ids[members]

    @property
    def _named(self) -> int:
        return int((self.lines[: self.kept] >= 0).sum())


def _equally_wide(columns: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
    """Arrays [n] as they are, those of [n, *] padded on the right."""
    if columns[0].ndim == 1:
        return columns
    width = max(column.shape[1] for column in columns)
    return [np.pad(column, [(0, 0), (0, width - column.shape[1])]) for column in columns]
