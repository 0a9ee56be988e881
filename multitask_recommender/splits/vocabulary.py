"""The vocabulary after a cut: known ids first, and features that only learnt rows tell."""

import dataclasses
from collections.abc import Callable

import numpy as np

from multitask_recommender import columns
from multitask_recommender.interactions import Entities, Features, Interactions


def with_log_features(interactions: Interactions, learnt: np.ndarray) -> Interactions:
    """The tables and the context get the features that the learnt rows tell."""
    if interactions.log_features is None:
        return interactions
    of_users, of_items, of_events = interactions.log_features(learnt)

    def with_more(entities: Entities, features: Features) -> Entities:
        return dataclasses.replace(entities, features={**entities.features, **features})

    return dataclasses.replace(
        interactions,
        users=with_more(interactions.users, of_users),
        items=with_more(interactions.items, of_items),
        context={**interactions.context, **of_events},
        log_features=None,
    )


def known_first(
    interactions: Interactions, learnt: np.ndarray
) -> Callable[[np.ndarray], Interactions]:
    """Renumbers users and items so that the vocabulary is 1..num_known.

    Returns what takes the rows of a mask [N], with the new ids: the rows of one part at a time are
    renumbered, in the memory that they were taken to.
    """
    users, new_users = _renumbered(interactions.users, interactions.user_ids, learnt)
    items, new_items = _renumbered(interactions.items, interactions.item_ids, learnt)

    def recoded(features: Features) -> Features:
        return {name: each.recoded(new_items, items) for name, each in features.items()}

    users = dataclasses.replace(users, features=recoded(users.features))
    items = dataclasses.replace(items, features=recoded(items.features))

    def take(rows: np.ndarray) -> Interactions:
        part = interactions.take(rows)
        return dataclasses.replace(
            part,
            users=users,
            items=items,
            user_ids=_renew(part.user_ids, new_users),
            item_ids=_renew(part.item_ids, new_items),
            context=recoded(part.context),
            negatives=part.negatives and part.negatives.renumbered(new_items),
        )

    return take


def _renew(ids: np.ndarray, new_ids: np.ndarray) -> np.ndarray:
    """Overwrites ids, which nobody else has."""
    return ids if _is_identity(new_ids) else columns.look_up(new_ids, ids, out=ids)


def _is_identity(ids: np.ndarray) -> bool:
    return bool((ids == np.arange(len(ids))).all())


def _renumbered(
    entities: Entities, ids: np.ndarray, learnt: np.ndarray
) -> tuple[Entities, np.ndarray]:
    """Catalogue first, then what occurs in the learnt rows, then the rest; else as they were.

    Returns the new id of each old one besides, [R + 1].
    """
    num_rows = len(entities.raw_ids)
    known = columns.mark(ids, num_rows + 1, learnt)
    known[1 : entities.num_known + 1] = True
    known[0] = True  # stays the unknown, before all others
    order = np.argsort(~known, kind="stable")
    num_known = int(known.sum()) - 1
    if _is_identity(order):
        return dataclasses.replace(entities, num_known=num_known), order.astype(ids.dtype)
    new_ids = np.empty(num_rows + 1, ids.dtype)
    new_ids[order] = np.arange(num_rows + 1)
    return entities.take(order[1:], num_known), new_ids
