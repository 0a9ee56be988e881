"""An export as evaluation sees a model: it is asked over its signatures, as a server would be."""

import pathlib
from collections.abc import Mapping

import numpy as np

from multitask_recommender.export import frozen
from multitask_recommender.export.raw_ids import RawIds
from multitask_recommender.export.saved import Arrays, Saved
from multitask_recommender.interactions import Entities, Feature
from multitask_recommender.schema import HISTORY, ITEM_ID, NO_SCORE, USER_ID

_ROWS_AT_ONCE = 4096
_NO_LABELS = {"scores", "source"}  # of what `rank` answers


class ExportScorer:
    """Scores and predictions of a saved export.

    Histories are those of the request or else, as they are served, all that training tells.

    Args:
      folder: of a version.
      users, items: whose dense ids queries hold.
      context: the features of events, whose codes queries hold.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        users: Entities,
        items: Entities,
        context: Mapping[str, Feature],
    ) -> None:
        self._saved, self._number = Saved(folder), frozen.read(folder).num_items
        self._users, self._items = RawIds(users.vocabulary), RawIds(items.vocabulary)
        asked = self._saved.inputs("recommend")
        self._words = {name: _words(each) for name, each in context.items() if name in asked}

    def score_block(self, queries: Mapping[str, np.ndarray]) -> np.ndarray:
        """Scores [Q, I]; those that are not found have the lowest there is."""
        found = self._saved(
            "retrieve", self._query(queries) | {"k": [self._number], "exclude_seen": [False]}
        )
        shape = len(found["num_items"]), self._items.number + 1
        scores = np.full(shape, NO_SCORE, np.float32)
        np.put_along_axis(scores, self._items.dense(found["item_ids"]), found["scores"], axis=1)
        return scores[:, 1:]  # without what fills up a line, and items that are not in the data

    def rank(self, queries: Mapping[str, np.ndarray]) -> Arrays:
        """{label: probabilities or stars [B]}."""
        number = len(queries[ITEM_ID])
        parts = [
            self._rank(
                {name: each[start : start + _ROWS_AT_ONCE] for name, each in queries.items()}
            )
            for start in range(0, number, _ROWS_AT_ONCE)
        ]
        labels = parts[0] if parts else {}
        return {label: np.concatenate([part[label] for part in parts]) for label in labels}

    def _rank(self, queries: Mapping[str, np.ndarray]) -> Arrays:
        request = self._query(queries) | {"item_ids": self._items.raw(queries[ITEM_ID])[:, None]}
        for name in self._words.keys() & queries.keys():
            words = self._words[name]
            request[name] = queries[name] if words is None else words[queries[name]]
        found = self._saved("rank", request)
        return {name: values[:, 0] for name, values in found.items() if name not in _NO_LABELS}

    def _query(self, queries: Mapping[str, np.ndarray]) -> Arrays:
        request = {"user_id": self._users.raw(queries[USER_ID])}
        if HISTORY in queries:
            request["history"] = self._items.raw(queries[HISTORY])
        return request


def _words(feature: Feature) -> np.ndarray | None:
    """By code, "" for what is missing; None for numbers, which requests hold as they are."""
    if not feature.is_categorical:
        return None
    return np.array(["", *feature.vocabulary], object)
