"""How far preparing a file of Tenrec has come, saved so that it can go on; see `tenrec`."""

import dataclasses
import json
import pathlib
import zipfile
from collections.abc import Mapping

import numpy as np

from multitask_recommender import run_folder
from multitask_recommender.datasets._tenrec import column_files
from multitask_recommender.datasets._tenrec.column_files import Proof

READER = 1  # to be raised whenever what is written, or what is made of a file, changes

_FILE = "state.npz"
_COUNTS = "counts"  # the state itself, beside the arrays that go with it


@dataclasses.dataclass
class State:
    """What was read so far, and what it amounted to."""

    reader: int = READER
    offset: int = 0  # bytes, the header included
    lines: int = 1
    md5: str = ""  # of these bytes
    rows: int = 0
    users: int = 0
    last_user: int = 0  # raw id
    conflicts: dict[str, list[int]] = dataclasses.field(default_factory=dict)  # count, last user
    unobserved: dict[str, int] = dataclasses.field(default_factory=dict)  # by label
    overflowed: dict[str, int] = dataclasses.field(default_factory=dict)  # by column
    columns: dict[str, Proof] = dataclasses.field(default_factory=dict)  # by name


def save(folder: pathlib.Path, state: State, arrays: Mapping[str, np.ndarray]) -> None:
    """Replaces what was saved before. The columns must be flushed."""
    counts = np.array(json.dumps(dataclasses.asdict(state)))
    with run_folder.aside(folder / _FILE) as unfinished, unfinished.open("wb") as file:
        np.savez(file, **arrays, **{_COUNTS: counts})


def load(folder: pathlib.Path) -> tuple[State, dict[str, np.ndarray]] | None:
    """The last saved state and its arrays.

    None where it, or a column, is not what was saved, or another version of the reader saved it.
    """
    try:
        with np.load(folder / _FILE) as saved:
            arrays = dict(saved)
        state = State(**json.loads(str(arrays.pop(_COUNTS))))
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None
    whole = all(
        column_files.holds(folder / f"{name}.npy", proof) for name, proof in state.columns.items()
    )
    return (state, arrays) if whole and state.reader == READER else None


def remove(folder: pathlib.Path) -> None:
    (folder / _FILE).unlink()
