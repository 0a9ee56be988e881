"""Inputs of the model that know what they should not: the label, or what comes later."""

import dataclasses
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from multitask_recommender.interactions import Feature, Interactions
from multitask_recommender.metrics import labels
from multitask_recommender.splits import Splits
from multitask_recommender.traps._labels import learnt
from multitask_recommender.traps._trap import Trap

if TYPE_CHECKING:
    from multitask_recommender.config import Config

_SAMPLE = 200_000  # rows to judge a feature by
_ENOUGH = 10  # rows of each class: fewer agree with some feature by chance
_BINS = 1_000  # of a numeric feature
_AT_RANDOM = ("random", "tenrec_ctr", "tenrec_mtl", "tenrec_topn")  # splits, unless leak-free
# An AUC, or a share of a rating's variance. A feature alone, by which other rows are predicted:
_SURE, _SUSPICIOUS_AUC, _SUSPICIOUS_SHARE = 0.999, 0.95, 0.9


@dataclasses.dataclass(frozen=True)
class _Input:
    """A feature that the model reads: of its users, items, or context."""

    side: str
    name: str
    feature: Feature
    ids: np.ndarray | None  # [N] the row of the table for each event; None for context

    def values(self, rows: np.ndarray) -> np.ndarray:
        return self.feature.values[rows if self.ids is None else self.ids[rows]]


def find(splits: Splits, config: "Config") -> list[Trap]:
    train = splits.train
    inputs = list(_inputs(train, config))
    traps = [trap for each in inputs for trap in _declared(each, train)]
    traps += _out_of_order(config)
    for label in learnt(train, config):
        rows = _rows_to_judge_by(splits, label, {each.side for each in inputs})
        for each in inputs:
            if each.side == "context" and each.name in train.post_exposure:
                continue  # said already, and with better reason
            trap = _label_in_feature(each, label, train, rows[each.side])
            traps += [trap] if trap else []
    return traps


def _out_of_order(config: "Config") -> list[Trap]:
    model, split = config.model, config.split
    reads_order = getattr(model.settings, "reads_recent", False)
    if not reads_order or split.name not in _AT_RANDOM or split.leak_free:
        return []
    return [
        Trap(
            "future_history",
            "warning",
            f"{model.name} reads what came before, but split.name is {split.name}: users are given "
            "items by a history that goes on after what is held out. split.name=user_order, time "
            "or leave_last_out cuts in order.",
        )
    ]


def _inputs(train: Interactions, config: "Config") -> Iterator[_Input]:
    tables = {
        "user": (train.users.features, train.user_ids),
        "item": (train.items.features, train.item_ids),
        "context": (train.context, None),
    }
    for side, names in config.model.settings.inputs_read().items():
        features, ids = tables[side]
        for name in sorted(set(names) & features.keys()):
            yield _Input(side, name, features[name], ids)


def _declared(each: _Input, train: Interactions) -> list[Trap]:
    """What the dataset itself says of a feature."""
    is_late = each.side == "context" and each.name in train.post_exposure
    tells_future = each.side == "user" and each.name in train.future_features
    if not is_late and not tells_future:
        return []
    holders = _is_known(each.feature)
    count = int(np.count_nonzero(holders if each.ids is None else holders[each.ids]))
    held = f"{count:,} of {len(train):,} training rows hold it"
    if is_late:
        return [
            Trap(
                "post_exposure_input",
                "error",
                f"The model reads '{each.name}', which is known only after the exposure that it is "
                f"to predict ({held}): take it out of model.context.",
            )
        ]
    return [
        Trap(
            "future_history",
            "warning",
            f"The model reads '{each.name}' of the user, which tells early rows what the user "
            f"does later ({held}): figures are too good. A history of earlier rows does not.",
        )
    ]


def _is_known(feature: Feature) -> np.ndarray:
    """Which rows of a table, or of the events, have a value."""
    known = feature.values != 0 if feature.is_categorical else np.isfinite(feature.values)
    return known.reshape(len(known), -1).any(axis=1)


def _label_in_feature(
    each: _Input, label: str, train: Interactions, rows: Sequence[np.ndarray]
) -> Trap | None:
    """Predicts the label of each half of some rows by the other half's mean for the same value."""
    found = [_strength(each, label, train, some) for some in rows]
    strength, num_rows, is_binary = max(found, key=lambda one: one[0])
    suspicious = _SUSPICIOUS_AUC if is_binary else _SUSPICIOUS_SHARE
    if strength <= suspicious:
        return None
    is_sure = strength > _SURE
    measure = f"AUC {strength:.4f}" if is_binary else f"{strength:.2%} of its variance"
    told = "tells" if is_sure else "almost tells"
    remedy = f"take it out of model.{each.side}" + ("" if is_sure else " if it is made of it")
    return Trap(
        "label_in_feature",
        "error" if is_sure else "warning",
        f"The {each.side} feature '{each.name}' alone {told} the label '{label}' ({measure}, on "
        f"{num_rows:,} training rows by the means of others): {remedy}.",
    )


def _strength(
    each: _Input, label: str, train: Interactions, rows: np.ndarray
) -> tuple[float, int, bool]:
    """How well the feature predicts the label, 0..1; on how many rows; and if that is an AUC."""
    targets = train.labels[label][rows].astype(np.float64)
    is_binary = bool(((targets == 0) | (targets == 1)).all())
    middle = 0.5 if is_binary else targets.mean() if len(targets) else 0.0
    num_high = int(np.count_nonzero(targets > middle))
    if min(num_high, len(targets) - num_high) < _ENOUGH:
        return 0.0, len(rows), is_binary
    predictions = _by_other_half(_codes(each.feature, each.values(rows)), targets)
    if is_binary:
        return labels.auc(targets, predictions.astype(np.float32)), len(rows), True
    share = 1 - np.square(targets - predictions).mean() / targets.var()
    return max(0.0, float(share)), len(rows), False


def _by_other_half(codes: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """For codes [n, M]: the mean target [n] of rows of the other half that share them."""
    half = np.random.default_rng(0).permutation(len(targets)) % 2  # whatever the rows' order
    predictions = np.empty(len(targets))
    size = int(codes.max(initial=0)) + 1
    for mine in (0, 1):
        others = codes[half != mine]
        repeated = np.repeat(targets[half != mine], codes.shape[1])
        counts = np.bincount(others.ravel(), minlength=size)
        sums = np.bincount(others.ravel(), repeated, size)
        means = np.where(counts > 0, sums / np.maximum(counts, 1), repeated.mean())
        own = codes[half == mine]
        is_value = (own > 0) | (own == 0).all(axis=1, keepdims=True)  # padding has no say
        predictions[half == mine] = (means[own] * is_value).sum(axis=1) / is_value.sum(axis=1)
    return predictions


def _codes(feature: Feature, values: np.ndarray) -> np.ndarray:
    """Values [n] or [n, M] as codes [n, M], 0 for missing; numbers by up to a thousand bins."""
    columns = values.reshape(len(values), -1)
    if feature.is_categorical:
        return columns
    is_known = np.isfinite(columns)
    edges = np.unique(columns[is_known])
    if len(edges) > _BINS:
        in_order = np.sort(columns[is_known])
        edges = np.unique(in_order[len(in_order) * np.arange(_BINS) // _BINS])
    return np.where(is_known, np.searchsorted(edges, columns, side="right"), 0)


def _rows_to_judge_by(
    splits: Splits, label: str, sides: Collection[str]
) -> dict[str, list[np.ndarray]]:
    """Training rows that hold the label, by the side of a feature: a sample of them all.

    For users and items also their last rows, where validation has no later one: a feature may be
    the last value of a column of the log, and that column a label. Other rows would hardly tell.
    """
    if not sides:
        return {}  # what follows takes 8 bytes a row
    train, validation = splits.train, splits.validation
    observed = np.flatnonzero(train.is_observed(label))
    ids = {
        "user": (train.user_ids, validation.user_ids, train.users),
        "item": (train.item_ids, validation.item_ids, train.items),
    }
    rows = {side: [_sample(observed)] for side in sides}
    for side in sides & ids.keys():
        of_train, of_validation, table = ids[side]
        last = np.full(len(table.raw_ids) + 1, -1)
        last[of_train[observed]] = observed  # later assignments win
        last[of_validation] = -1
        rows[side].append(_sample(np.sort(last[last >= 0])))
    return rows


def _sample(rows: np.ndarray) -> np.ndarray:
    if len(rows) <= _SAMPLE:
        return rows
    return np.sort(np.random.default_rng(0).choice(rows, _SAMPLE, replace=False, shuffle=False))
