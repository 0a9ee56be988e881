"""Interactions, cut: the parts of a split, and how they are made."""

import dataclasses
import functools
from collections.abc import Callable, Mapping

import numpy as np

from multitask_recommender.errors import DataError
from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import PARTS, TEST, TRAIN, VALIDATION
from multitask_recommender.splits import cuts, tenrec
from multitask_recommender.splits.settings import Settings
from multitask_recommender.splits.vocabulary import known_first, with_log_features

_PARTS_OF: Mapping[str, Callable[[Interactions, Settings], np.ndarray]] = {
    "random": cuts.random,
    "time": cuts.time,
    "user_order": cuts.user_order,
    "leave_last_out": cuts.leave_last_out,
    "given": cuts.given,
    "tenrec_ctr": tenrec.clicks_and_negatives,
    "tenrec_mtl": tenrec.clicks_and_negatives,
    "tenrec_topn": tenrec.clicks_of_active_users,
    "tenrec_sbr": tenrec.sessions,
}


@dataclasses.dataclass(frozen=True)
class Splits:
    """Three parts with the same tables, known ids first; each part in the order of the log."""

    train: Interactions
    validation: Interactions
    test: Interactions
    num_dropped: int = 0  # rows in no part: repetitions of pairs, or what a protocol leaves out
    notes: tuple[str, ...] = ()  # what is to be known of the cut

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
    """Raises DataError where the rows cannot be cut in this way, or nothing is left to train or,
    though it was asked for, to test on. Without the validation rows that were asked for, it warns.
    """
    if len(interactions) == 0:
        raise DataError(f"{interactions.source.name} has no rows to split.")
    parts = _PARTS_OF[settings.name](interactions, settings)  # [N]
    interactions = _checked(interactions, parts, settings)
    learnt = (parts == cuts.TRAINED) | (parts == cuts.VALIDATED)
    interactions = known_first(with_log_features(interactions, learnt), learnt)
    train, validation, test = (
        interactions.take(np.flatnonzero(parts == part)) for part in range(len(PARTS))
    )
    dropped = int(np.count_nonzero(parts == cuts.DROPPED))
    return Splits(train, validation, test, dropped, tenrec.notes(settings))


def _checked(interactions: Interactions, parts: np.ndarray, settings: Settings) -> Interactions:
    """The same rows, with a warning where none of them is for validation."""

    def fault(purpose: str) -> str:
        return (
            f"No row of {len(parts)} is left {purpose}: split.name is {settings.name}, "
            f"test {settings.test:g}, validation {settings.validation:g}."
        )

    if not (parts == cuts.TRAINED).any():
        raise DataError(fault("to train on"))
    is_test_wanted = settings.test > 0 and settings.name != "given"
    if is_test_wanted and not (parts == cuts.TESTED).any():
        raise DataError(f"{fault('to test on')} To train without a test, set split.test=0.")
    if settings.validation == 0 or (parts == cuts.VALIDATED).any():
        return interactions
    warning = f"{fault('for validation')} So there is no early stopping and no refit."
    source = interactions.source
    source = dataclasses.replace(source, warnings=(*source.warnings, warning))
    return dataclasses.replace(interactions, source=source)


def _joined(first: Interactions, second: Interactions) -> Interactions:
    """The rows of two parts of the same split, to learn from: ranked among no negatives."""

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
        negatives=None,
        **optional,
    )
