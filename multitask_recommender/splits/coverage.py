"""What of the rows is unknown: users and items outside the vocabulary, features without a value."""

from collections.abc import Collection, Mapping

import numpy as np

from multitask_recommender.interactions import Feature, Interactions
from multitask_recommender.schema import ITEM_ID, TRAIN, USER_ID
from multitask_recommender.splits.split import Splits

Inputs = Mapping[str, Collection[str]]  # names by `user`, `item` and `context`
Rates = dict[str, float]  # by part


def unknown_rates(data: Splits, inputs: Inputs) -> dict[str, Rates]:
    """Shares of the rows of each part that has any, by `user_id`, `item_id` and names of features.

    An id is unknown outside the vocabulary. A feature is where it is missing; where the user or
    item is unknown and nothing is known of those; and in context, where no training row has its
    code. Names of no feature are left out.
    """
    columns = {
        name: _unknown(data.train, part, inputs) for name, part in data.parts.items() if len(part)
    }
    return {
        column: {part: float(np.mean(unknown[column])) for part, unknown in columns.items()}
        for column in columns[TRAIN]
    }


def _unknown(train: Interactions, part: Interactions, inputs: Inputs) -> dict[str, np.ndarray]:
    """Masks [N] of a part's rows."""
    masks = {
        USER_ID: part.user_ids > part.num_users,
        ITEM_ID: part.item_ids > part.num_items,
    }
    sides = {"user": (part.users, part.user_ids), "item": (part.items, part.item_ids)}
    for side, (entities, ids) in sides.items():
        for name in sorted(entities.features.keys() & set(inputs.get(side, ()))):
            masks[name] = _missing(entities.features[name])[entities.known(ids)]
    for name in sorted(part.context.keys() & set(inputs.get("context", ()))):
        masks[name] = _missing(part.context[name], learnt=train.context[name])
    return masks


def _missing(feature: Feature, learnt: Feature | None = None) -> np.ndarray:
    """Which values [n] say nothing. Given what is learnt from, codes outside it say nothing."""
    if not feature.is_categorical:
        return ~np.isfinite(feature.values)
    tells = np.ones(len(feature.vocabulary) + 1, bool)
    if learnt is not None:
        tells = np.bincount(learnt.values.ravel(), minlength=len(tells)) > 0
    tells[0] = False
    told = tells[feature.values]
    return ~(told if told.ndim == 1 else told.any(axis=1))
