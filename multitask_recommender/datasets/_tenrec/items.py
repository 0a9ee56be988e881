"""The items of a file of Tenrec, gathered while its rows pass by; see `tenrec`."""

from collections.abc import Mapping, Sequence

import numpy as np

from multitask_recommender.datasets._tenrec.rows import differ

_ROOM = 1 << 16  # items, to begin with


class Items:
    """Numbers items from 1 as they are met, and keeps the first value that each column has of one.

    Raw ids are small whole numbers, so that a plain array finds an item's number. Memory is 4 bytes
    for each possible raw id (only those that were met are ever touched), and some for each item.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._numbers = np.zeros(1 << 20, np.int32)  # by raw id; 0: not met
        self._count = 0  # I; the arrays have room for more
        self._raw_ids = np.zeros(_ROOM, np.int64)
        self._values = {name: np.full(_ROOM, np.nan) for name in columns}
        self._conflicts = {name: np.zeros(_ROOM, bool) for name in columns}

    def numbers(self, raw_ids: np.ndarray) -> np.ndarray:
        """The number of each raw id, int32 of the same shape; 0 stays 0."""
        if not raw_ids.size:
            return np.zeros(raw_ids.shape, np.int32)
        self._make_room(int(raw_ids.max()))
        numbers = self._numbers[raw_ids]
        is_new = (numbers == 0) & (raw_ids > 0)
        if is_new.any():
            self._add(self._distinct(raw_ids[is_new]))
            numbers = self._numbers[raw_ids]
        return numbers

    def note(self, numbers: np.ndarray, columns: Mapping[str, np.ndarray]) -> None:
        """Takes values [n] of the items of rows."""
        places = numbers - 1
        for name, values in columns.items():
            table = self._values[name]
            known = table[places]
            rows = np.flatnonzero(np.isnan(known) & ~np.isnan(values))
            if len(rows):
                table[places[rows[::-1]]] = values[rows[::-1]]  # the first of several is put last
                known = table[places]
            self._conflicts[name][places[differ(known, values)]] = True

    def in_order(self) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
        """Raw ids ascending, int64 [I]; values in that order; dense ids [I + 1] by number."""
        order = np.argsort(self._raw_ids[: self._count])
        dense = np.zeros(len(order) + 1, np.int32)
        dense[order + 1] = np.arange(1, len(order) + 1)
        values = {name: column[order] for name, column in self._values.items()}
        return self._raw_ids[order], values, dense

    def conflicts(self) -> dict[str, int]:
        """By column, of how many items the rows do not agree."""
        return {name: int(flags.sum()) for name, flags in self._conflicts.items()}

    def state(self) -> dict[str, np.ndarray]:
        """What `restore` takes."""
        state = {"raw_ids": self._raw_ids}
        state |= {f"value {name}": column for name, column in self._values.items()}
        state |= {f"conflict {name}": flags for name, flags in self._conflicts.items()}
        return {name: column[: self._count] for name, column in state.items()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Into an object that has met nothing yet."""
        self._make_room(int(state["raw_ids"].max(initial=0)))
        self._add(state["raw_ids"])
        for name in self._values:
            self._values[name][: self._count] = state[f"value {name}"]
            self._conflicts[name][: self._count] = state[f"conflict {name}"]

    def _make_room(self, largest: int) -> None:
        if largest >= len(self._numbers):
            self._numbers = _grown(self._numbers, largest + 1, 0)

    def _distinct(self, raw_ids: np.ndarray) -> np.ndarray:
        """Each of these ids, which have no number yet, once. Without sorting: a few passes."""
        marks = np.arange(len(raw_ids), dtype=np.int32)
        self._numbers[raw_ids] = marks  # of what is repeated, one mark stays
        return raw_ids[self._numbers[raw_ids] == marks]

    def _add(self, raw_ids: np.ndarray) -> None:
        first, self._count = self._count, self._count + len(raw_ids)
        if self._count > len(self._raw_ids):
            self._raw_ids = _grown(self._raw_ids, self._count, 0)
            for name in self._values:
                self._values[name] = _grown(self._values[name], self._count, np.nan)
                self._conflicts[name] = _grown(self._conflicts[name], self._count, False)
        self._raw_ids[first : self._count] = raw_ids
        self._numbers[raw_ids] = np.arange(first + 1, self._count + 1)


def _grown(array: np.ndarray, size: int, fill: float) -> np.ndarray:
    """At least this long and twice as long as before. Zeros cost no memory until they are used."""
    length = max(size, 2 * len(array))
    new = np.zeros(length, array.dtype) if not fill else np.full(length, fill, array.dtype)
    new[: len(array)] = array
    return new
