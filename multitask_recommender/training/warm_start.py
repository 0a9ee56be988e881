"""A training that begins with the weights of a finished run, whose data knew fewer, or others.

Rows of tables are found by what they are of: a raw id, a word. What both know keeps its row bit for
bit. A new user or item begins as its features say, by a ridge regression of the rows that are kept
on their features (Gantner et al., "Learning Attribute-to-Feature Mappings for Cold-Start
Recommendations", ICDM 2010); without features, and a new word of a feature, as the mean row. The
optimizer begins anew.
"""

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
import tensorflow as tf

from multitask_recommender import run_folder
from multitask_recommender.errors import RunError
from multitask_recommender.interactions import Entities, Feature, Interactions
from multitask_recommender.layers.rows import whole
from multitask_recommender.training import loop, vocabulary

_RIDGE = 10.0  # rows without any features that weigh as much
_MOST_CODES = 512  # of a feature that new rows are told by


def begin(model: Any, train: Interactions, run_dir: pathlib.Path) -> None:
    """Gives the model, untrained, the weights of a run.

    Raises RunError where they do not fit, and says which and why.
    """
    folder = run_dir / run_folder.CHECKPOINTS
    arrays, of_weights = vocabulary.read(folder)
    there = loop.read_weights(folder)
    weights = whole(model.weights)
    if len(there) != len(weights):
        raise RunError(f"{run_dir} has {len(there)} weights, and this model {len(weights)}.")
    entities = (train.users, train.items)
    for place, (weight, values) in enumerate(zip(weights, there, strict=True)):
        keys = getattr(weight, "row_keys", ())
        names = of_weights.get(place, [])
        if len(names) != len(keys) or values.shape[1:] != weight.shape[1:]:
            raise RunError(_unlike(run_dir, weight, values))
        if keys:
            blocks = _blocks(values, [arrays[name] for name in names], keys, entities)
            values = np.concatenate(blocks)
        if values.shape != weight.shape:
            raise RunError(_unlike(run_dir, weight, values))
        weight.assign(values)


def _unlike(run_dir: pathlib.Path, weight: tf.Variable, values: np.ndarray) -> str:
    return (
        f"{weight.name} has the shape {tuple(values.shape)} in {run_dir} and "
        f"{tuple(weight.shape)} here, and its rows are of no vocabulary: no training can begin "
        "with it."
    )


def _blocks(
    values: np.ndarray,
    there: Sequence[np.ndarray],
    here: Sequence[Sequence],
    entities: Sequence[Entities],
) -> list[np.ndarray]:
    """The rows of a table by its vocabularies here, each with its unknown first."""
    ends = np.cumsum([len(each) + 1 for each in there])
    return [
        _block(rows, old, new, next((each for each in entities if _are_of(new, each)), None))
        for rows, old, new in zip(np.split(values, ends[:-1]), there, here, strict=True)
    ]


def _are_of(keys: Sequence, entities: Entities) -> bool:
    return isinstance(keys, np.ndarray) and np.array_equal(entities.vocabulary, keys)


def _block(
    rows: np.ndarray, old: np.ndarray, new: Sequence, entities: Entities | None
) -> np.ndarray:
    """rows [O + 1, ...] of the keys `old` [O] as rows [N + 1, ...] of the keys `new` [N]."""
    keys = vocabulary.as_array(new)
    vocabulary.check_kind("ids or words", old, keys)
    places = _places(old, keys)
    is_kept = places >= 0
    found = np.zeros((len(keys) + 1, *rows.shape[1:]), rows.dtype)
    found[0] = rows[0]
    found[1:][is_kept] = rows[1:][places[is_kept]]
    if not is_kept.all():
        kept = found[1:][is_kept] if is_kept.any() else rows[1:]
        mean = kept.mean(axis=0, dtype=np.float64) if len(kept) else 0.0
        parts = _parts(entities) if entities is not None and is_kept.any() else []
        found[1:][~is_kept] = mean + (_told(kept - mean, is_kept, parts) if parts else 0.0)
    return found


def _places(old: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Where each key [N] is among the old ones [O]; -1 where it is not."""
    if not len(old):
        return np.full(len(keys), -1)
    order = np.argsort(old, kind="stable")
    places = order[np.searchsorted(old, keys, sorter=order).clip(max=len(old) - 1)]
    return np.where(old[places] == keys, places, -1)


def _told(kept: np.ndarray, is_kept: np.ndarray, parts: list[sp.csr_matrix]) -> np.ndarray:
    """What features say of the rows that are not among those kept [n, ...], beside their mean."""
    design = sp.hstack(parts, format="csr")  # [R, F]
    known = design[is_kept]
    squares = (known.T @ known).toarray() + _RIDGE * np.eye(design.shape[1])
    slopes = np.linalg.solve(squares, known.T @ kept.reshape(len(kept), -1))  # [F, D]
    return (design[~is_kept] @ slopes).reshape(-1, *kept.shape[1:])


def _parts(entities: Entities) -> list[sp.csr_matrix]:
    """The features of a vocabulary as columns: shares of codes, and scaled numbers."""
    known = slice(1, entities.num_known + 1)
    features = [each for each in entities.features.values() if not each.of_items]
    return [
        _columns(each.take(known))
        for each in features
        if not each.is_categorical or len(each.vocabulary) <= _MOST_CODES
    ]


def _columns(feature: Feature) -> sp.csr_matrix:
    values = feature.values
    if not feature.is_categorical:
        deviation = np.nanstd(values) if np.isfinite(values).any() else 0.0
        middle = np.nanmean(values) if deviation else 0.0
        scaled = np.nan_to_num((values - middle) / (deviation or 1.0))
        return sp.csr_matrix(scaled[:, None].astype(np.float64))
    codes = values.reshape(len(values), -1)  # [R, M]
    owners, places = np.nonzero(codes)
    counts = np.maximum((codes > 0).sum(axis=1), 1)
    cells = (1.0 / counts[owners], (owners, codes[owners, places] - 1))
    return sp.csr_matrix(cells, shape=(len(values), len(feature.vocabulary)))
