"""Which datasets lie where they are looked for without `dataset.path`, and where they come from."""

import dataclasses
import pathlib
from collections.abc import Iterator

from multitask_recommender.datasets import _files, adjacency, ncf, sessions, tenrec
from multitask_recommender.datasets._tenrec.files import FILES as TENREC_FILES

_MOVIELENS = "https://files.grouplens.org/datasets/movielens"
_RATINGS = {  # the file of ratings by MovieLens variant
    "100k": "u.data",
    "1m": "ratings*.dat",
    "10m": "ratings.dat",
    "latest-small": "ratings.csv",
    "20m": "ratings.csv",
    "25m": "ratings.csv",
    "32m": "ratings.csv",
}


@dataclasses.dataclass(frozen=True)
class Local:
    """A dataset that can be looked for: what chooses it, where it is, or how one comes by it."""

    name: str
    settings: str  # as a command takes them
    folder: pathlib.Path | None
    remedy: str


def look() -> Iterator[Local]:
    """Every dataset of files that has a place of its own under `$MTR_DATA` and `./data`."""
    for variant, ratings in _RATINGS.items():
        archive = f"ml-{variant}.zip"
        names = [f"ml-{variant}", *(["ml-10M100K"] if variant == "10m" else [])]
        yield Local(
            f"movielens {variant}",
            f"dataset.name=movielens dataset.variant={variant}",
            _find(names, [ratings]),
            f"curl -O {_MOVIELENS}/{archive} && unzip -d data {archive}",
        )
    shipped = [name for names, _ in TENREC_FILES.values() for name in names]
    yield Local(
        "tenrec",
        "dataset.name=tenrec",
        _find(["tenrec"], shipped),
        f"accept the licence on {tenrec.SITE}, and unpack the files into data/tenrec",
    )
    for variant in ("gowalla", "yelp2018", "amazon-book"):
        yield Local(
            variant,
            f"dataset.name=adjacency dataset.variant={variant}",
            _find([variant], adjacency.FILES[:1]),
            f"copy {' and '.join(adjacency.FILES)} of {adjacency.REPOSITORY} into data/{variant}",
        )
    yield Local(
        "diginetica",
        "dataset.name=sessions dataset.variant=diginetica",
        _find(["diginetica"], sessions.FILES[:1]),
        f"put {' and '.join(sessions.FILES)} into data/diginetica",
    )
    yield Local(
        "ml-1m of ncf",
        "dataset.name=ncf dataset.variant=ml-1m",
        _find(["ml-1m/ncf"], ["*.test.rating"]),
        f"copy the files of {ncf.REPOSITORY} into data/ml-1m/ncf",
    )


def _find(folders: list[str], patterns: list[str]) -> pathlib.Path | None:
    """The first of the folders, root by root, that holds a file of one of the patterns."""
    places = [root / name for root in _files.roots() for name in folders]
    held = (place for place in places if any(any(place.glob(each)) for each in patterns))
    return next(held, None)
