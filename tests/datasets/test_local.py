"""Where datasets are looked for."""

import pathlib

import pytest

from multitask_recommender import config
from multitask_recommender.datasets import _local


def places() -> dict[str, pathlib.Path | None]:
    return {local.name: local.folder for local in _local.look()}


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("ml-1m/ratings_no_timestamp.dat", "movielens 1m"),
        ("ml-10M100K/ratings.dat", "movielens 10m"),
        ("tenrec/QB-artilce.csv", "tenrec"),
        ("yelp2018/train.txt", "yelp2018"),
        ("diginetica/train_sessions.txt", "diginetica"),
        ("ml-1m/ncf/ml-1m.test.rating", "ml-1m of ncf"),
    ],
)
def test_a_folder_with_its_file_is_found_and_no_other(file, name, elsewhere):
    path = elsewhere / "data" / file
    path.parent.mkdir(parents=True)
    path.touch()

    found = {name: folder for name, folder in places().items() if folder}

    assert found == {name: path.parent.relative_to(elsewhere)}


def test_a_folder_without_its_files_is_not_the_dataset(elsewhere):
    (elsewhere / "data" / "ml-100k").mkdir(parents=True)

    assert set(places().values()) == {None}


def test_mtr_data_comes_before_the_working_folder(elsewhere, monkeypatch):
    for root in ("data", "other"):
        (elsewhere / root / "gowalla").mkdir(parents=True)
        (elsewhere / root / "gowalla" / "train.txt").touch()
    monkeypatch.setenv("MTR_DATA", str(elsewhere / "other"))

    assert places()["gowalla"] == elsewhere / "other" / "gowalla"


def test_what_chooses_a_dataset_is_a_config():
    """A dataset that wants more, such as a scenario, is known by its name."""
    for local in _local.look():
        more = ["dataset.scenario=ctr_1m"] if local.name == "tenrec" else []

        config.parse({"split": {"name": "random"}}, [*local.settings.split(), *more])
