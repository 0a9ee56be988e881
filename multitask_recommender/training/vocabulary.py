"""What the rows of a trained model's tables are of: raw ids and words, beside its weights.

One file of plain arrays, which numpy reads without running any code of theirs.
"""

import json
import pathlib
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np

from multitask_recommender import run_folder
from multitask_recommender.errors import RunError
from multitask_recommender.interactions import Interactions
from multitask_recommender.layers.rows import whole

FILE = "vocabulary.npz"
_SIDES = ("users", "items")
_WEIGHTS = "weights"  # JSON: by the place of a weight, the names of its vocabularies


def write(model: Any, train: Interactions, folder: pathlib.Path) -> None:
    """Of a model's weights, in their order; see layers/rows.py."""
    arrays = {side: as_array(getattr(train, side).vocabulary) for side in _SIDES}
    weights = {}
    for place, weight in enumerate(whole(model.weights)):
        keys = getattr(weight, "row_keys", ())
        if keys:
            weights[place] = [_name(arrays, as_array(each)) for each in keys]
    folder.mkdir(parents=True, exist_ok=True)
    with run_folder.aside(folder / FILE) as unfinished, open(unfinished, "wb") as file:
        np.savez(file, **arrays, **{_WEIGHTS: np.array(json.dumps(weights))})


def read(folder: pathlib.Path) -> tuple[dict[str, np.ndarray], dict[int, list[str]]]:
    """Vocabularies by name (`users` and `items` among them), and those of weights by their place.

    Raises RunError where there is no such file, or it is damaged.
    """
    path = folder / FILE
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        weights = json.loads(str(arrays.pop(_WEIGHTS)))
    except FileNotFoundError as error:
        raise RunError(
            f"{folder} holds no {FILE}: train that run anew, to begin with its weights."
        ) from error
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise RunError(f"{path} is damaged: {error}") from error
    return arrays, {int(place): names for place, names in weights.items()}


def compared(train: Interactions, folder: pathlib.Path) -> dict[str, dict[str, int]]:
    """How many users and items of a trained model are kept in other data, new, and gone."""
    arrays, _ = read(folder)
    counts = {}
    for side in _SIDES:
        here, there = as_array(getattr(train, side).vocabulary), arrays[side]
        check_kind(side, there, here)
        kept = int(np.isin(here, there).sum())
        counts[side] = {"kept": kept, "new": len(here) - kept, "gone": len(there) - kept}
    return counts


def check_kind(name: str, there: np.ndarray, here: np.ndarray) -> None:
    """Raises RunError where one vocabulary is of numbers and the other of text."""
    if there.dtype.kind != here.dtype.kind and len(there) and len(here):
        raise RunError(
            f"The {name} of the run to begin with are {_kind(there)} ({there[0]}), and here they "
            f"are {_kind(here)} ({here[0]}): none can be known again."
        )


def _kind(array: np.ndarray) -> str:
    return "text" if array.dtype.kind == "U" else "numbers"


def as_array(words: Sequence) -> np.ndarray:
    """Numbers as int64, all else as text."""
    array = np.asarray(words[:] if not isinstance(words, np.ndarray) else words)
    return array.astype(np.int64) if array.dtype.kind in "iu" else array.astype(str)


def _name(arrays: dict[str, np.ndarray], array: np.ndarray) -> str:
    """That of a vocabulary among the others, to which it is added where it is new."""
    for name, other in arrays.items():
        if other.dtype == array.dtype and np.array_equal(other, array):
            return name
    name = f"words_{len(arrays)}"
    arrays[name] = array
    return name
