"""Traps, looked for before training: what makes figures too good, or training useless.

    constant_label              a task whose label has one value in training (error)
    never_positive              a task whose label is never 1 in training (error)
    label_in_feature            an input that tells a label: error if surely, warning if almost
    post_exposure_input         an input that is known only after the exposure (error)
    future_history              an input that tells early rows of a user of later ones (warning)
    same_row_in_train_and_test  held-out pairs of user and item that were learnt from (warning)
    duplicate_candidates        items of the same id (error), or of one that looks the same
    label_without_click         likes of what was not clicked: a warning for a task that is said to
                                come only with clicks, as ESMM assumes; else a note

`traps.allow` in the config names those that are meant: they are warnings then.
"""

import dataclasses
from typing import TYPE_CHECKING

from multitask_recommender.errors import ConfigError
from multitask_recommender.splits import Splits
from multitask_recommender.traps import _inputs, _labels, _rows
from multitask_recommender.traps._trap import Trap

if TYPE_CHECKING:
    from multitask_recommender.config import Config

__all__ = ["Trap", "check", "find"]


def find(splits: Splits, config: "Config") -> list[Trap]:
    """All traps, errors first; those that the config allows are no errors."""
    found = [
        *_labels.find(splits.train, config),
        *_inputs.find(splits, config),
        *_rows.find(splits),
    ]
    allowed = [
        dataclasses.replace(trap, severity="warning")
        if trap.is_error and trap.name in config.traps.allow
        else trap
        for trap in found
    ]
    return sorted(allowed, key=lambda trap: ("error", "warning", "note").index(trap.severity))


def check(splits: Splits, config: "Config") -> list[Trap]:
    """All traps. Raises ConfigError, with a line for each, where any is an error."""
    found = find(splits, config)
    errors = [trap for trap in found if trap.is_error]
    if errors:
        lines = [
            f"{trap.name}: {trap.sentence} If it is meant: traps.allow=[{trap.name}]."
            for trap in errors
        ]
        raise ConfigError("\n".join(lines))
    return found
