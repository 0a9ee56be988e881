"""Dense ids of a vocabulary as requests and answers have them: raw, both ways, in numpy."""

from collections.abc import Sequence

import numpy as np

NO_WORD, NO_NUMBER = "", -1  # the raw id of no user and of no item


class RawIds:
    """Raw ids [R], strings or int64, in the order of their dense ids 1..R; 0 is none."""

    def __init__(self, raw_ids: np.ndarray) -> None:
        self.number = len(raw_ids)
        self._is_number = raw_ids.dtype.kind in "iu"
        kind = np.int64 if self._is_number else object
        self._raw = np.empty(self.number + 1, kind)
        self._raw[0] = self.nobody
        self._raw[1:] = raw_ids
        self._order = np.argsort(self._raw, kind="stable")

    @property
    def nobody(self) -> str | int:
        return NO_NUMBER if self._is_number else NO_WORD

    @property
    def all(self) -> np.ndarray:
        """Raw ids of all but none, [R]."""
        return self._raw[1:]

    def raw(self, ids: np.ndarray | Sequence[int]) -> np.ndarray:
        """Of dense ids of any shape: int64, or str in an array of objects."""
        return self._raw[np.asarray(ids, np.int64)]

    def dense(self, raw: np.ndarray | Sequence) -> np.ndarray:
        """int64, of the same shape; 0 for what is not of the vocabulary. Strings may be bytes."""
        asked = np.asarray(raw, self._raw.dtype)
        flat = asked.ravel()
        if not self._is_number:
            words = [word.decode() if isinstance(word, bytes) else word for word in flat]
            flat = np.array(words, object)
        places = np.searchsorted(self._raw, flat, sorter=self._order)
        found = self._order[np.minimum(places, self.number)]
        return np.where(self._raw[found] == flat, found, 0).reshape(asked.shape)
