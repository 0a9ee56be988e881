"""Tenrec: what readers of two feeds were shown, and what they did with it (videos and articles).

Yuan et al., "Tenrec: A Large-scale Multipurpose Benchmark Dataset for Recommender Systems", NeurIPS
2022 Datasets and Benchmarks. The files are read as shipped:

    dataset: {name: tenrec, scenario: ctr_1m, path: FOLDER}     # a folder of files, or the file

A row is one exposure, so a pair may be in several. Every label that the file has (click, follow,
like, share, read, favorite) can be a task; a NULL is not observed. There is no clock: the rows of a
user follow one another in the order of time, and `timestamps` are the numbers of the rows.

    users  gender, age (0 is unknown); first_clicks: hist_1..10 as shipped, the user's first ten
           clicks as item ids. It tells early rows of later ones, see `Interactions.future_features`
    items  video_category, category_first, category_second, item_score1..3: the first value met
    rows   watching_times, read_percentage, read_time and counts: all of them `post_exposure`. A
           count from 2^31 up is a negative number that was printed unsigned: missing

The first start turns the file into columns that are mapped into memory, whatever its size; later
starts take seconds. A column is an Arrow IPC file, which other programs read too
(`polars.read_ipc`). They lie in `dataset.cache`; without it beside the file, in
`.multitask_recommender/`, or else in `~/.cache/multitask_recommender/`. They are made anew when the
file changes, and each `max_rows` has its own.

Without `dataset.path`, the folders `$MTR_DATA/tenrec` and `./data/tenrec` are tried.
"""

import pathlib
from collections.abc import Mapping
from typing import Literal

import pydantic

from multitask_recommender.datasets import _files
from multitask_recommender.datasets._tenrec.files import FILES, LABELS, POST_EXPOSURE_COLUMNS
from multitask_recommender.errors import DataError
from multitask_recommender.interactions import Interactions
from multitask_recommender.schema import TIMESTAMP
from multitask_recommender.settings import Settings as StrictSettings

SITE = "https://static.qblv.qq.com/qblv/h5/algo-frontend/tenrec_dataset.html"
REPOSITORY = "https://github.com/yuangh-x/2022-NIPS-Tenrec"


class Settings(StrictSettings):
    name: Literal["tenrec"] = "tenrec"
    scenario: Literal[tuple(FILES)]
    path: str | None = None  # the folder of the files, or the scenario's file
    cache: str | None = None  # a folder for the prepared columns
    max_rows: int | None = pydantic.Field(None, ge=1)

    def columns_held(self) -> Mapping[str, Mapping[str, int]]:
        """Those of the scenario's file as it is shipped."""
        _, shipped = FILES[self.scenario]
        return {
            "labels": {name: 1 for name in LABELS if name in shipped},
            "context": {name: 4 for name in POST_EXPOSURE_COLUMNS if name in shipped},
            "timestamps": {TIMESTAMP: 4},
        }


def read(settings: Settings, fold: str | None = None) -> Interactions:
    """The rows in the order of the file, their columns mapped into memory.

    Raises DataError where the file is missing, with how to get it, or faulty, with the line.
    """
    _files.refuse_fold(fold, "tenrec")
    path = _find(settings)
    from multitask_recommender.datasets._tenrec import interactions  # imports pyarrow

    return interactions.read(path, settings)


def _find(settings: Settings) -> pathlib.Path:
    names, _ = FILES[settings.scenario]
    if settings.path is not None:
        given = pathlib.Path(settings.path).expanduser()
        if given.is_file():
            return given
        places = [given]
    else:
        places = [root / "tenrec" for root in _files.roots()]
    for place in places:
        for name in names:
            if (place / name).is_file():
                return place / name
    looked = "; ".join(f"{place} {_held(place)}" for place in places)
    key = "dataset.path is not set, and" if settings.path is None else "dataset.path:"
    raise DataError(
        f"{key} there is no {' or '.join(names)}, the file of scenario {settings.scenario}. Looked "
        f"in: {looked}. Tenrec is not downloaded for you: accept its licence (CC BY-NC 4.0) on "
        f"{SITE} (or see {REPOSITORY}), unpack the files, and set dataset.path to their folder."
    )


def _held(folder: pathlib.Path) -> str:
    """What there is instead."""
    if not folder.is_dir():
        return "(no such folder)"
    found = sorted(path.name for path in folder.iterdir())
    shown = ", ".join(found[:8]) + (", ..." if len(found) > 8 else "")
    return f"(holds {shown or 'nothing'})"
