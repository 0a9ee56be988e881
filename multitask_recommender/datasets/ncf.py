"""The form of NCF: ratings to learn from, ratings to test on, and the negatives of each test row.

He et al., "Neural Collaborative Filtering", WWW 2017, section 4.1: each user's last rating is test,
ranked among 99 items that he has not rated. As published (ml-1m, pinterest-20):

    dataset: {name: ncf, path: FOLDER}
    split: {name: given, validation_by: user}     # a row of each user is drawn from train
    evaluation: {protocols: [sampled]}

    *.train.rating    user, item, rating and, if there is one, timestamp, apart by tabs; without a
                      header. Or a .tsv, such as *.train.tsv
    *.test.rating     the same
    *.test.negative   `(user,item)` as in test.rating, then its negatives

Ids are whole numbers from 0, and raw ids stay as they are. `rating` is the label; every row is a
retrieval positive. A timestamp is rounded down to whole seconds. A test pair may not stand twice;
that some stand in train too is said. Every item that any of the files names is in the catalogue, as
it is to the paper's code, which numbers items through: what is in no row to learn from (in ml-1m
two items, of two test rows and 340 negatives) is a candidate nevertheless. The negatives are for
the protocol `sampled` on test; evaluation/sampled.py says what becomes of one that is its row's own
target.

Without `dataset.path`, the folders `$MTR_DATA/<variant>/ncf` and `./data/<variant>/ncf` are tried.
"""

import pathlib
from typing import Literal

import numpy as np
import pydantic

from multitask_recommender.datasets import _files, _ncf_files, _number_files
from multitask_recommender.errors import DataError
from multitask_recommender.given_negatives import GivenNegatives
from multitask_recommender.interactions import Entities, Interactions, Source
from multitask_recommender.settings import Settings as StrictSettings

REPOSITORY = "https://github.com/hexiangnan/neural_collaborative_filtering/tree/master/Data"


class Settings(StrictSettings):
    name: Literal["ncf"] = "ncf"
    path: str | None = None  # a folder with the three files
    # What the files' names begin with, where a folder holds several sets of them.
    variant: str = "ml-1m"
    max_rows: int | None = pydantic.Field(None, ge=1)


def read(settings: Settings, fold: str | None = None) -> Interactions:
    """The rows in the order of the train file, then of the test file.

    Raises DataError where the files are missing, do not fit each other, or are faulty, with the
    line.
    """
    _files.refuse_fold(fold, "ncf")
    folder = _files.find_folder(
        settings.path,
        f"{settings.variant}/ncf",
        f"put the three files {settings.variant}.* of {REPOSITORY} there",
    )
    paths = _ncf_files.find(folder, settings.variant)
    train, test = map(_ncf_files.read_ratings, paths[:2])
    pairs, negatives = _ncf_files.read_negatives(paths[2])
    lines = _lines_of(test[:, :2].astype(np.int64), pairs, paths)

    is_given = negatives >= 0
    users = _number_files.numbered(train[:, 0], test[:, 0])
    items = _number_files.numbered(train[:, 1], test[:, 1], negatives[is_given])
    given = np.zeros(negatives.shape, np.int32)
    given[is_given] = items[1][2]
    has_times = train.shape[1] == test.shape[1] == _ncf_files.WIDEST
    parts = _number_files.parts_of(len(train), len(test))
    interactions = Interactions(
        user_ids=np.concatenate(users[1]),
        item_ids=np.concatenate(items[1][:2]),
        users=Entities(users[0], 0),
        items=Entities(items[0], len(items[0])),
        labels={"rating": np.concatenate([train[:, 2], test[:, 2]]).astype(np.float32)},
        timestamps=_seconds(train[:, 3], test[:, 3]) if has_times else None,
        parts=parts,
        negatives=GivenNegatives(np.append(np.full(len(train), -1, np.int32), lines), given),
        source=Source(
            f"ncf {paths[0].name.partition('.train.')[0]}",
            _files.checksums(paths),
            _number_files.of_both(paths[1].name, users, items),
        ),
    )
    return interactions.take(_number_files.first_rows(parts, settings.max_rows))


def _seconds(train: np.ndarray, test: np.ndarray) -> np.ndarray:
    return np.floor(np.append(train, test)).astype(np.int64)


def _lines_of(test: np.ndarray, pairs: np.ndarray, paths: list[pathlib.Path]) -> np.ndarray:
    """For each test pair [n, 2] its line among those of the negatives [L, 2]; one for one."""
    line_of: dict[tuple[int, int], int] = {}
    for line, (user, item) in enumerate(pairs.tolist()):
        if line_of.setdefault((user, item), line) != line:
            raise DataError(f"{paths[2]} has two lines for ({user},{item}): leave one.")
    rows = [(user, item) for user, item in test.tolist()]
    if len(set(rows)) < len(rows):
        _ncf_files.refuse_repetition(paths[1])
    for lacking, fault in (
        (set(rows) - line_of.keys(), f"{paths[2]} has no line for {{}}, a row of {paths[1].name}"),
        (line_of.keys() - set(rows), f"{paths[2]} has a line for {{}}, no row of {paths[1].name}"),
    ):
        if lacking:
            user, item = min(lacking)
            more = f" (the first of {len(lacking):,})" if len(lacking) > 1 else ""
            raise DataError(f"{fault.format(f'({user},{item})')}{more}: use files of one set.")
    return np.array([line_of[row] for row in rows], np.int32)
