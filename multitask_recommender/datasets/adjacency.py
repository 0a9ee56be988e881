"""Adjacency lists: lines of a user and the items that he met, in a file for train and one for test.

The form of Gowalla, Yelp2018 and Amazon-book as NGCF (Wang et al., SIGIR 2019) and LightGCN (He et
al., SIGIR 2020) publish them:

    dataset: {name: adjacency, path: FOLDER}      # holds train.txt and test.txt
    split: {name: given}                          # validation is drawn from train

    0 17 4 256      user 0 met the items 17, 4 and 256
    1               user 1 met none

Ids are whole numbers, and raw ids stay as they are. There are no labels and no times: every pair is
a retrieval positive. A user may have several lines, and a pair may stand twice in a file: it counts
once, and that is said. That test pairs stand in train too is said as well. An item that test alone
has is outside the vocabulary, as everywhere.

Without `dataset.path`, the folders `$MTR_DATA/<variant>` and `./data/<variant>` are tried.
"""

import dataclasses
import pathlib
from typing import Literal

import numpy as np
import pydantic

from multitask_recommender.datasets import _files, _number_files
from multitask_recommender.errors import DataError
from multitask_recommender.interactions import Entities, Interactions, Source
from multitask_recommender.settings import Settings as StrictSettings

REPOSITORY = "https://github.com/gusye1234/LightGCN-PyTorch/tree/master/data"
FILES = ("train.txt", "test.txt")


class Settings(StrictSettings):
    name: Literal["adjacency"] = "adjacency"
    path: str | None = None  # a folder with train.txt and test.txt
    variant: Literal["gowalla", "yelp2018", "amazon-book"] = "gowalla"  # which, without a path
    max_rows: int | None = pydantic.Field(None, ge=1)


@dataclasses.dataclass(frozen=True)
class _Pairs:
    """The distinct pairs of a file, in its order, and what there is to say of it."""

    users: np.ndarray  # raw ids, int64 [n]
    items: np.ndarray
    warnings: tuple[str, ...]


def read(settings: Settings, fold: str | None = None) -> Interactions:
    """The pairs in the order of train.txt, then of test.txt.

    Raises DataError where the files are missing, or faulty, with the line.
    """
    _files.refuse_fold(fold, "adjacency")
    folder = _files.find_folder(
        settings.path,
        settings.variant,
        f"put the {' and '.join(FILES)} of {REPOSITORY}/{settings.variant} there",
    )
    paths = _files.require_files(folder, FILES)
    train, test = map(_read_pairs, paths)
    users = _number_files.numbered(train.users, test.users)
    items = _number_files.numbered(train.items, test.items)
    parts = _number_files.parts_of(len(train.users), len(test.users))
    interactions = Interactions(
        user_ids=np.concatenate(users[1]),
        item_ids=np.concatenate(items[1]),
        users=Entities(users[0], 0),
        items=Entities(items[0], 0),
        parts=parts,
        source=Source(
            f"adjacency {folder.resolve().name}",
            _files.checksums(paths),
            train.warnings + test.warnings + _number_files.of_both(paths[1].name, users, items),
        ),
    )
    return interactions.take(_number_files.first_rows(parts, settings.max_rows))


def _read_pairs(path: pathlib.Path) -> _Pairs:
    numbers = _number_files.parse(_number_files.text_of(path))
    if numbers is None:
        _files.check_lines(path, _fault)
        raise DataError(f"{path}: not only digits and blanks. Write ids as digits, spaces between.")
    values = numbers.values
    is_user = np.diff(numbers.lines, prepend=-1) > 0  # the first number of its line
    if is_user.all():
        raise DataError(f"{path} is empty: no user with an item in it.")
    num_items = np.diff(np.flatnonzero(is_user), append=len(values)) - 1  # of each line
    users, items = np.repeat(values[is_user], num_items), values[~is_user]
    warnings = []
    of_lines, counts = np.unique(values[is_user], return_counts=True)
    if len(of_lines) < len(num_items):
        warnings.append(
            f"{path.name}: {np.count_nonzero(counts > 1):,} users have more than one line, such as "
            f"user {of_lines[counts > 1][0]}: their lines were taken together."
        )
    again = _repetitions(users, items)
    if again.any():
        warnings.append(
            f"{path.name}: {again.sum():,} of {len(again):,} pairs repeat one in the same file, "
            f"such as user {users[again][0]} with item {items[again][0]}: each counts once."
        )
    return _Pairs(users[~again], items[~again], tuple(warnings))


def _repetitions(users: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Which pairs [n] stand before already."""
    order = np.lexsort((items, users))  # stable: the first of equals stays the first
    is_same = (np.diff(users[order]) == 0) & (np.diff(items[order]) == 0)
    again = np.zeros(len(users), bool)
    again[order[1:]] = is_same
    return again


def _fault(line: str) -> str | None:
    """What is wrong with a line, if anything is."""
    for place, text in enumerate(_number_files.fields(line)):
        fault = _number_files.fault_of("item" if place else "user", text)
        if fault is not None:
            return f"{fault}. A line is a user and his items: correct it, or take it out."
    return None
