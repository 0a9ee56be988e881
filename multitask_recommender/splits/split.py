"""Interactions, cut: the parts of a split, and how they are made."""

import dataclasses
import functools
from collections.abc import Callable, Mapping

import numpy as np

from multitask_recommender import columns
from multitask_recommender.errors import DataError
from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import ALL_PARTS, FOLD_IN, TEST, TRAIN, VALIDATION
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
    """The parts, with the same tables, known ids first; each part in the order of the log."""

    train: Interactions
    validation: Interactions
    test: Interactions
    fold_in: Interactions  # what is told of users of validation and test; mostly empty
    num_dropped: int = 0  # rows in no part: repetitions of pairs, or what a protocol leaves out
    notes: tuple[str, ...] = ()  # what is to be known of the cut
    keeps_pairs: bool = False  # so that none is in two parts

    @functools.cached_property
    def train_and_validation(self) -> Interactions:
        """For the refit: the rows of train, then those of validation.

        Between them the fold-in rows of the users of validation, whose histories are thus learnt
        from as a whole.
        """
        of_validation = np.isin(self.fold_in.user_ids, self.validation.user_ids)
        return joined(self.train, self.fold_in.take(of_validation), self.validation)

    @property
    def parts(self) -> dict[str, Interactions]:
        """By name: train, validation, test and, where there are such rows, fold_in."""
        parts = {TRAIN: self.train, VALIDATION: self.validation, TEST: self.test}
        return parts | ({FOLD_IN: self.fold_in} if len(self.fold_in) else {})

    def counts(self) -> dict[str, dict[str, int]]:
        """Per part, its rows and how many of them have a user or item outside the vocabulary."""
        return {n: {"rows": len(part), **count_unknown(part)} for n, part in self.parts.items()}


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
    learnt = _learnt(interactions, parts)
    take = known_first(with_log_features(interactions, learnt), learnt)
    cut = (take(parts == part) for part in range(len(ALL_PARTS)))
    dropped = int(np.count_nonzero(parts == cuts.DROPPED))
    return Splits(*cut, dropped, tenrec.notes(settings), settings.keeps_pairs)


def _learnt(interactions: Interactions, parts: np.ndarray) -> np.ndarray:
    """A mask [N] of the rows that the refit learns from."""
    validated = parts == cuts.VALIDATED
    learnt = (parts == cuts.TRAINED) | validated
    folded_in = np.flatnonzero(parts == cuts.FOLDED_IN)
    users = interactions.user_ids
    learnt[folded_in] = np.isin(users[folded_in], users[validated])
    return learnt


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


def joined(*parts: Interactions) -> Interactions:
    """The rows of some parts of the same split, to learn from: ranked among no negatives."""
    parts = tuple(part for part in parts if len(part)) or parts[:1]
    first, join = parts[0], columns.joined
    if len(parts) == 1:
        return dataclasses.replace(first, negatives=None)
    optional = {
        name: None if getattr(first, name) is None else join([getattr(p, name) for p in parts])
        for name in ("timestamps", "parts")
    }
    return dataclasses.replace(
        first,
        user_ids=join([part.user_ids for part in parts]),
        item_ids=join([part.item_ids for part in parts]),
        labels={name: join([part.labels[name] for part in parts]) for name in first.labels},
        observed={name: join([part.observed[name] for part in parts]) for name in first.observed},
        context={
            name: dataclasses.replace(
                feature, values=join([part.context[name].values for part in parts])
            )
            for name, feature in first.context.items()
        },
        negatives=None,
        **optional,
    )
