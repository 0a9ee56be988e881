"""MovieLens: who gave which film how many stars (https://grouplens.org/datasets/movielens/).

    rating  the stars as given: 1..5, or in halves 0.5..5 in 10m and the CSV releases
    like    1.0 from 4 stars up (_stars.py)

Every rated pair is a retrieval positive; a click label would be constant, so there is none.

Looked for in `dataset.path`, which nothing replaces; else in `$MTR_DATA/ml-<variant>`, in
`./data/ml-<variant>`, and as a TFDS download into `./data`; else, where `dataset.offline` allows
it, a synthetic sample stands in, with a warning that goes into everything the run writes.
"""

import pathlib
from typing import Literal

import pydantic

from multitask_recommender.datasets import _download, _files, synthetic
from multitask_recommender.errors import ConfigError, DataError, suggestion
from multitask_recommender.interactions import Interactions
from multitask_recommender.settings import Settings as StrictSettings

FOLDS = ("u1", "u2", "u3", "u4", "u5", "ua", "ub")  # the splits that come with 100k

Variant = Literal["100k", "1m", "10m", "latest-small", "20m", "25m", "32m"]

# Users, films and ratings of the stand-in. The larger releases get the shape of 1m: a sample that
# proves nothing about MovieLens need not take minutes to draw.
_SHAPES = {"100k": (943, 1682, 100_000), "latest-small": (610, 9_742, 100_836)}
_LARGE_SHAPE = (6_040, 3_883, 1_000_209)


class Settings(StrictSettings):
    name: Literal["movielens"] = "movielens"
    variant: Variant = "100k"
    path: str | None = None  # a folder with the release's own files
    offline: Literal["synthetic", "error"] = "synthetic"
    max_rows: int | None = pydantic.Field(None, ge=1)


def read(settings: Settings, fold: str | None = None) -> Interactions:
    """The ratings in the order of their file; with a fold of 100k, its base and then its test rows.

    Raises DataError where the files are missing or faulty.
    """
    _check_fold(settings, fold)
    folder = _find(settings)
    if folder is not None:
        from multitask_recommender.datasets import _movielens  # polars takes half a second

        return _movielens.read_folder(folder, settings.variant, fold, settings.max_rows)
    downloaded = _download.movielens(settings.variant)
    if isinstance(downloaded, pathlib.Path):
        from multitask_recommender.datasets import _movielens

        return _movielens.read_folder(downloaded, settings.variant, fold, settings.max_rows)
    if fold is not None:
        raise DataError(
            f"split.fold is {fold}, which needs the MovieLens files. {_remedy(settings)}"
        )
    if settings.offline == "error":
        raise DataError(f"{_remedy(settings)} ({downloaded})")
    return _stand_in(settings, reason=downloaded)


def _check_fold(settings: Settings, fold: str | None) -> None:
    if fold is None:
        return
    if settings.variant != "100k":
        raise ConfigError(
            f"split.fold is {fold!r}: MovieLens {settings.variant} has no given splits, only 100k."
        )
    if fold not in FOLDS:
        raise ConfigError(
            f"split.fold is {fold!r}.{suggestion(fold, list(FOLDS))} "
            f"MovieLens 100k has {', '.join(FOLDS)}."
        )


def _find(settings: Settings) -> pathlib.Path | None:
    if settings.path is not None:
        return _files.folder_at(settings.path)
    return next((folder for folder in _places(settings.variant) if folder.is_dir()), None)


def _places(variant: Variant) -> list[pathlib.Path]:
    # The archive of 10m unpacks under a name of its own.
    names = [f"ml-{variant}", *(["ml-10M100K"] if variant == "10m" else [])]
    return [root / name for root in _files.roots() for name in names]


def _remedy(settings: Settings) -> str:
    places = " or ".join(str(place) for place in _places(settings.variant))
    return (
        f"MovieLens {settings.variant} was not found in {places}: unpack it there, or set "
        "dataset.path."
    )


def _stand_in(settings: Settings, reason: str) -> Interactions:
    users, items, rows = _SHAPES.get(settings.variant, _LARGE_SHAPE)
    warning = (
        f"SYNTHETIC DATA stands in for MovieLens {settings.variant} ({rows:,} drawn rows): no "
        f"figure of this run says anything about MovieLens. {_remedy(settings)} ({reason}) "
        "dataset.offline=error forbids the stand-in."
    )
    sample = synthetic.Settings(users=users, items=items, rows=rows, max_rows=settings.max_rows)
    return synthetic.read(sample, warnings=(warning,))
