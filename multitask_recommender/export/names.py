"""What labels and features may be called in an export: its inputs and outputs are named so."""

import keyword
from collections.abc import Sequence

from multitask_recommender.errors import ConfigError

INPUTS = ("user_id", "history", "history_length", "k", "exclude_ids", "exclude_seen")
INPUTS += ("item_ids", "item_id")
OUTPUTS = ("item_ids", "scores", "source", "num_items")


def check(tasks: Sequence[str], labels: Sequence[str], features: Sequence[str]) -> None:
    """Raises ConfigError, with a line for every name that no signature can have.

    tasks: those with a weight; labels: those that are predicted; features: the inputs by which
    requests tell them.
    """
    faults = [
        f"tasks.{label}: an export answers with outputs called {', '.join(OUTPUTS)}, so that no "
        "label can be: rename it in the data."
        for label in labels
        if label in OUTPUTS
    ]
    weights = [f"weight_{task}" for task in tasks]
    for what, name in [*zip(tasks, weights, strict=True), *zip(features, features, strict=True)]:
        if not name.isidentifier() or not name.isascii() or keyword.iskeyword(name):
            faults.append(
                f"{what!r} cannot be an input of an export, which is to be a word of letters, "
                "digits and underscores: rename it in the data."
            )
    taken = [*INPUTS, *weights]
    for place, name in enumerate(features):
        if name in taken or name in features[:place]:
            faults.append(f"The feature {name!r} cannot be one more input of an export: rename it.")
    if faults:
        raise ConfigError("\n".join(faults))
