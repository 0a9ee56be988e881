"""Why an item has its score: what the score is without an item of the history, or a feature.

Exact, not approximated: everything is left out in turn and the pair scored again, by the same
scorer that evaluation and exports ask. What is left out is missed from everything that the user has
met: where a model reads the latest events, an older one takes its place. Reasons are each alone,
so they need not add up.
"""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from multitask_recommender import histories, user_sessions
from multitask_recommender.experiment import Experiment
from multitask_recommender.exporting import missing_row
from multitask_recommender.interactions import Entities, Feature
from multitask_recommender.schema import HISTORY, ITEM_ID, PAD, USER_ID

_ROWS_AT_ONCE = 64  # of scores of all items
_SAME = 1e-4  # scores as near as this, relative to large ones, are the same

IN_HISTORY, OF_USER, OF_ITEM = "history", "user", "item"  # where a reason is from
Scores = dict[str, float]  # by task


@dataclasses.dataclass(frozen=True)
class Reason:
    """What is left out: an item of the history by its raw id, or a feature with its value.

    effects: by task, the score with it less the score without.
    """

    source: str
    name: str
    value: str
    effects: Scores


@dataclasses.dataclass(frozen=True)
class Explanation:
    """Scores of a pair by task, and its reasons, the one that raises the first task most first.

    place: among the items that the user has not seen, from 1; None without retrieval.
    """

    scores: Scores
    place: int | None
    reasons: list[Reason]
    notes: list[str]


class Explainer:
    """Explains the scores of a restored model, which is frozen by it."""

    def __init__(self, experiment: Experiment, model: Any) -> None:
        model.freeze()  # features are variables then
        self._experiment, self._model = experiment, model
        self._scorer = model.scorer()
        context = experiment.data.train.context
        self._missing = {name: missing_row(context[name]) for name in model.context_names}
        self._reads_history = model.recent is not None or model.reads_told_history

    def __call__(self, user: int, item: int) -> Explanation:
        """Of dense ids within the vocabulary."""
        history = self._history(user)
        notes, told = [], np.zeros((1, 0), np.int32)
        if self._reads_history and len(history):
            told = history[None]
        base, row = self._scores(user, item, told)
        reasons = []
        if self._reads_history:
            notes += self._told_notes(user, item, history, base)
            if len(np.unique(history)) > 1:
                reasons += self._items_left_out(user, item, history, base)
        reasons += self._features_left_out(user, item, told, base)
        if not reasons:
            notes.append(
                "There is nothing to leave out: the vectors that were learnt for the ids of this "
                "user and this item carry the score."
            )
        first = next(iter(base))
        reasons.sort(key=lambda reason: -reason.effects[first])
        place = None if row is None else self._place(user, item, row)
        return Explanation(base, place, reasons, notes)

    def _history(self, user: int) -> np.ndarray:
        """Item ids of what the model is told of a user, oldest first."""
        experiment = self._experiment
        known = experiment.fold_in  # of whom more is known than was learnt from
        rows = known.take(known.user_ids == user)
        if not len(rows):
            learnt = experiment.learnt_rows
            rows = learnt.take(learnt.user_ids == user)
            rows = experiment.rows.counting_in_histories(rows)
        if not len(rows):
            return np.zeros(0, np.int32)
        told = user_sessions.latest(rows, len(rows)).before({USER_ID: np.array([user])})[0]
        return told[told != PAD]

    def _scores(
        self, user: int, item: int, told: np.ndarray, scorer: Any = None
    ) -> tuple[Scores, np.ndarray | None]:
        """Of one history, with the scores of all items."""
        values, row = self._all_scores(user, item, told, scorer or self._scorer)
        return {task: float(each[0]) for task, each in values.items()}, row

    def _all_scores(
        self, user: int, item: int, told: np.ndarray, scorer: Any
    ) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
        """By task [n], for histories [n, T] of the user, 0-padded; and the first row of scores."""
        parts: dict[str, list[np.ndarray]] = {}
        row = None
        for start in range(0, len(told), _ROWS_AT_ONCE):
            part = told[start : start + _ROWS_AT_ONCE]
            queries = {USER_ID: np.full(len(part), user, np.int32)}
            if part.shape[1]:
                queries[HISTORY] = part
            if self._model.retrieval is not None:
                scores = scorer.score_block(queries)
                row = scores[0] if row is None else row
                parts.setdefault(self._model.retrieval.name, []).append(scores[:, item - 1])
            pairs = {ITEM_ID: np.full(len(part), item, np.int32)}
            pairs |= {name: np.repeat(each, len(part), 0) for name, each in self._missing.items()}
            for label, values in scorer.rank(queries | pairs).items():
                parts.setdefault(label, []).append(values)
        return {task: np.concatenate(each) for task, each in parts.items()}, row

    def _items_left_out(
        self, user: int, item: int, history: np.ndarray, base: Scores
    ) -> list[Reason]:
        """One reason for each item of the history, however often it is in it."""
        items = np.unique(history)
        rest = np.where(history == items[:, None], PAD, history)  # [n, T]
        rest = histories.latest(rest, len(history))
        without, _ = self._all_scores(user, item, rest, self._scorer)
        raw = self._experiment.data.train.items.raw_ids
        return [
            Reason(
                IN_HISTORY,
                str(raw[left - 1]),
                "",
                {task: base[task] - float(values[place]) for task, values in without.items()},
            )
            for place, left in enumerate(items)
        ]

    def _features_left_out(
        self, user: int, item: int, told: np.ndarray, base: Scores
    ) -> list[Reason]:
        train = self._experiment.data.train
        reasons = []
        for source, entities, row in ((OF_USER, train.users, user), (OF_ITEM, train.items, item)):
            for name, feature in entities.features.items():
                value = _shown(feature, row)
                towers = self._towers(entities, name)
                if not towers or not value:
                    continue
                with contextlib.ExitStack() as stack:
                    for tower in towers:
                        stack.enter_context(tower.without(name, row))
                    without, _ = self._scores(user, item, told, self._model.scorer())
                effects = {task: base[task] - each for task, each in without.items()}
                reasons.append(Reason(source, name, value, effects))
        return reasons

    def _towers(self, entities: Entities, feature: str) -> list[Any]:
        from multitask_recommender.layers.tower import Tower

        return [
            layer
            for layer in self._model.submodules
            if isinstance(layer, Tower) and layer.reads(entities, feature)
        ]

    def _told_notes(self, user: int, item: int, history: np.ndarray, base: Scores) -> Iterator[str]:
        if not len(history):
            yield "Nothing that this user has met is known to the model."
        elif len(np.unique(history)) == 1:
            yield (
                "The history is one item: without it nothing would be told, so it is not left out."
            )
        own, _ = self._scores(user, item, np.zeros((1, 0), np.int32))
        if _differ(own, base):
            told = ", ".join(f"{task} {value:.4f}" for task, value in own.items())
            yield (
                "The scores are those of the history as a request would tell it, which a model of "
                f"a graph folds in. Of the user as training left it: {told}."
            )

    def _place(self, user: int, item: int, row: np.ndarray) -> int:
        scores = row.copy()
        for rows in (*self._experiment.seen, self._experiment.fold_in):
            met = rows.item_ids[rows.user_ids == user]
            scores[met[met <= len(row)] - 1] = -np.inf
        scores[item - 1] = -np.inf
        return 1 + int(np.count_nonzero(scores >= row[item - 1]))


def _differ(own: Mapping[str, float], base: Mapping[str, float]) -> bool:
    return any(abs(own[task] - base[task]) > _SAME * max(1.0, abs(own[task])) for task in base)


def _shown(feature: Feature, row: int) -> str:
    """The value of a row as a person reads it; "" where it is missing."""
    value = feature.values[row]
    if not feature.is_categorical:
        return f"{value:g}" if np.isfinite(value) else ""
    codes = [code for code in np.atleast_1d(value).tolist() if code]
    return ", ".join(str(feature.vocabulary[code - 1]) for code in codes)
