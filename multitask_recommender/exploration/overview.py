"""Numbers that describe Interactions: counts, rates, curves. Two rows or a hundred million."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from multitask_recommender.interactions import Entities, Feature, Interactions
from multitask_recommender.pairs import keys_of, repeated
from multitask_recommender.schema import ALL_PARTS, FOLD_IN

_TOP_VALUES = 20  # values of a feature that are listed
_CURVE_POINTS = 200


@dataclasses.dataclass(frozen=True)
class Label:
    """A label: the rows that hold it, and its mean and distinct values among them."""

    observed: int
    mean: float | None
    values: Mapping[float, int]  # how often each value occurs; the most frequent ones


@dataclasses.dataclass(frozen=True)
class Column:
    """A feature: of what it is one, the share of missing values, and what is in it."""

    of: str  # user, item or event
    kind: str  # categorical, several categories, numeric
    missing: float
    distinct: int | None
    top: Mapping[str, int]  # the most frequent values; of numbers, quantiles
    values: np.ndarray | None = None  # of numbers, a sample for a plot


@dataclasses.dataclass(frozen=True)
class Overview:
    """What `explore` shows of a dataset."""

    name: str
    warnings: tuple[str, ...]
    rows: int
    users: int  # that occur
    items: int
    catalogue: tuple[int, int]  # users and items that are given, met or not
    repeated_pairs: int  # rows of a pair beyond its first
    duplicate_rows: int  # rows that another row equals in every label, time aside
    order: str  # time, each user's order, none
    labels: Mapping[str, Label]
    together: np.ndarray  # [L, L] share of rows with label a that also have label b; NaN for none
    binary: tuple[str, ...]  # the L labels of `together`
    columns: Mapping[str, Column]
    per_user: np.ndarray  # events of each user that occurs, descending
    per_item: np.ndarray
    popularity: tuple[np.ndarray, np.ndarray]  # share of items, share of events that they have
    fold_in: int  # rows that tell of held-out users alone

    @property
    def density(self) -> float:
        return (self.rows - self.repeated_pairs) / max(self.users * self.items, 1)


def overview(interactions: Interactions) -> Overview:
    """Describes the rows as they were read, before any split."""
    per_user, per_item = (
        np.sort(np.bincount(ids))[::-1] for ids in (interactions.user_ids, interactions.item_ids)
    )
    per_user, per_item = per_user[per_user > 0], per_item[per_item > 0]
    repeated, duplicates = _repetitions(interactions)
    binary = tuple(name for name in interactions.labels if _is_binary(interactions, name))
    return Overview(
        name=interactions.source.name,
        warnings=interactions.source.warnings,
        rows=len(interactions),
        users=len(per_user),
        items=len(per_item),
        catalogue=(len(interactions.users.raw_ids), len(interactions.items.raw_ids)),
        repeated_pairs=repeated,
        duplicate_rows=duplicates,
        order=_order(interactions),
        labels={name: _label(interactions, name) for name in interactions.labels},
        together=_together(interactions, binary),
        binary=binary,
        columns=_columns(interactions),
        per_user=per_user,
        per_item=per_item,
        popularity=_popularity(per_item),
        fold_in=_fold_in(interactions),
    )


def overlap(first: Entities, second: Entities) -> int:
    """How many raw ids two tables have in common."""
    return len(np.intersect1d(first.raw_ids, second.raw_ids))


def _order(interactions: Interactions) -> str:
    if interactions.timestamps is None:
        return "none"
    return "each user's own order" if interactions.ordered_by_user else "time"


def _fold_in(interactions: Interactions) -> int:
    if interactions.parts is None:
        return 0
    return int(np.count_nonzero(interactions.parts == ALL_PARTS.index(FOLD_IN)))


def _repetitions(interactions: Interactions) -> tuple[int, int]:
    """Rows of a (user, item) pair beyond its first, and those that equal another in all labels."""
    rows, pairs = repeated(keys_of(interactions))
    if not len(rows):
        return 0, 0
    columns = [pairs]
    for name, values in interactions.labels.items():
        mask = interactions.is_observed(name)[rows]
        columns += [np.where(mask, values[rows], 0), mask]
    if not interactions.ordered_by_user and interactions.timestamps is not None:
        columns.append(interactions.timestamps[rows])
    order = np.lexsort(columns)
    same = np.logical_and.reduce([column[order][1:] == column[order][:-1] for column in columns])
    return len(rows) - 1 - int(pairs[-1]), int(same.sum())


def _is_binary(interactions: Interactions, name: str) -> bool:
    values = interactions.labels[name][interactions.is_observed(name)]
    return bool(len(values)) and bool(((values == 0) | (values == 1)).all())


def _label(interactions: Interactions, name: str) -> Label:
    values = interactions.labels[name][interactions.is_observed(name)]
    distinct, counts = np.unique(values, return_counts=True)
    order = np.sort(np.argsort(-counts, kind="stable")[:_TOP_VALUES])
    return Label(
        observed=len(values),
        mean=float(values.mean(dtype=np.float64)) if len(values) else None,
        values={float(distinct[place]): int(counts[place]) for place in order},
    )


def _together(interactions: Interactions, names: tuple[str, ...]) -> np.ndarray:
    shares = np.full((len(names), len(names)), np.nan)
    for row, name in enumerate(names):
        has = interactions.positives(name)
        for column, other in enumerate(names):
            both = has & interactions.is_observed(other)
            if both.any():
                shares[row, column] = (interactions.labels[other][both] == 1).mean()
    return shares


def _columns(interactions: Interactions) -> dict[str, Column]:
    """Features by name; of the tables without their rows for the unknown."""
    columns = {}
    for of, entities in (("user", interactions.users), ("item", interactions.items)):
        for name, feature in entities.features.items():
            known = feature.take(np.arange(1, len(feature.values)))
            columns[f"{of} {name}"] = _column(of, known)
    for name, feature in interactions.context.items():
        columns[f"event {name}"] = _column("event", feature)
    return columns


def _column(of: str, feature: Feature) -> Column:
    if not feature.is_categorical:
        return _numbers(of, feature.values)
    codes = feature.values
    missing = (codes == 0).all(axis=1) if codes.ndim == 2 else codes == 0
    counts = np.bincount(codes.reshape(-1), minlength=len(feature.vocabulary) + 1)[1:]
    top = np.argsort(-counts, kind="stable")[:_TOP_VALUES]
    return Column(
        of=of,
        kind="several categories" if codes.ndim == 2 else "categorical",
        missing=float(missing.mean()) if len(missing) else 0.0,
        distinct=int((counts > 0).sum()),
        top={str(feature.vocabulary[code]): int(counts[code]) for code in top if counts[code]},
    )


def _numbers(of: str, values: np.ndarray) -> Column:
    known = values[np.isfinite(values)]
    shares = (0.0, 0.25, 0.5, 0.75, 0.99, 1.0)
    quantiles = np.quantile(known, shares) if len(known) else []
    return Column(
        of=of,
        kind="numeric",
        missing=1.0 - len(known) / max(len(values), 1),
        distinct=None,
        top={
            f"quantile {share:g}": float(value)
            for share, value in zip(shares, quantiles, strict=False)
        },
        values=known[:: max(1, len(known) // 100_000)],
    )


def _popularity(per_item: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The share of events [n] that the most popular items, a share [n] of all, have together."""
    if not len(per_item):
        return np.zeros(1), np.zeros(1)
    together = np.concatenate([[0], np.cumsum(per_item)]) / per_item.sum()
    places = np.unique(np.geomspace(1, len(per_item), _CURVE_POINTS).astype(np.int64))
    places = np.concatenate([[0], places])
    return places / len(per_item), together[places]
