"""Data of the same columns in small: a handful of rows, users, items, and words of large features.

What a model makes of them has the shapes of what it makes of the data, but for those numbers.
"""

from collections.abc import Mapping

import numpy as np

from multitask_recommender.interactions import Entities, Feature, Features, Interactions, Source
from multitask_recommender.planning.shape import Columns, DataShape, Side

USERS, ITEMS = "users", "items"
# With more words than these a feature is an axis of its own; below, its table is made as it is.
FEW_WORDS = 1_000
_SMALL = 5  # of what is counted on every axis
_ROWS = 12

Axes = Mapping[str, int]  # users, items and names of large features: how many there are


def axes_of(shape: DataShape) -> dict[str, int]:
    """How many of each there are in the data."""
    large = {
        name: column.words
        for columns in (shape.users.columns, shape.items.columns, shape.context)
        for name, column in columns.items()
        if (column.words or 0) > FEW_WORDS and not column.of_items
    }
    return {USERS: shape.users.number, ITEMS: shape.items.number, **large}


def small(axes: Axes) -> dict[str, int]:
    """So few of each that any model of them is made at once."""
    return dict.fromkeys(axes, _SMALL)


def interactions(shape: DataShape, axes: Axes) -> Interactions:
    """Events of so many users, items and words, each user and item with an event or two."""
    places = np.arange(max(_ROWS, axes[USERS], axes[ITEMS]))
    return Interactions(
        user_ids=(places % axes[USERS] + 1).astype(np.int32),
        item_ids=(places % axes[ITEMS] + 1).astype(np.int32),
        users=_entities(shape.users, axes[USERS], axes),
        items=_entities(shape.items, axes[ITEMS], axes),
        labels={name: (places % 2).astype(np.float32) for name in shape.labels},
        observed={name: np.ones(len(places), bool) for name in shape.masked},
        timestamps=places if shape.time_bytes else None,
        source=Source(shape.source),
        context=_features(shape.context, len(places), axes),
    )


def _entities(side: Side, number: int, axes: Axes) -> Entities:
    return Entities(np.arange(number), number, _features(side.columns, number + 1, axes))


def _features(columns: Columns, rows: int, axes: Axes) -> Features:
    features = {}
    for name, column in columns.items():
        if column.words is None:
            values = np.arange(rows, dtype=np.float32)
            values[-1] = np.nan if column.lacks_some else values[-1]
            features[name] = Feature(values)
            continue
        words = axes[ITEMS] if column.of_items else axes.get(name, column.words)
        codes = np.arange(rows) % words + 1
        if column.width is not None:
            codes = np.repeat(codes[:, None], column.width, axis=1)
        vocabulary = tuple(map(str, range(words)))
        features[name] = Feature(codes.astype(np.int32), vocabulary, column.of_items)
    return features
