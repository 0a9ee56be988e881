"""What a run says it was made of."""

import polars as pl
import pytest

from multitask_recommender import __version__, config, config_file, record
from multitask_recommender.errors import RunError
from multitask_recommender.interactions import Source

SOURCE = Source("log", {"a/log.csv": "111", "a/items.csv": "222"}, ("Loud.",))


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(record.config_text(config.parse({"training": {"epochs": 3}}), SOURCE))
    return path


def test_the_recorded_config_is_read_back_equal(path):
    assert config.load(path) == config.parse({"training": {"epochs": 3}})


def test_it_names_versions_seed_and_checksums(path):
    values = config_file.read(path)

    versions = values["record"]["versions"]
    assert versions["multitask_recommender"] == __version__
    assert {"commit", "python", "tensorflow", "tensorflow-recommenders", "numpy"} < versions.keys()
    assert values["record"]["data"] == {
        "source": "log",
        "md5": dict(SOURCE.files),
        "warnings": ["Loud."],
    }
    assert values["training"]["seed"] == 42


def test_the_same_text_every_time(path):
    again = record.config_text(config.parse({"training": {"epochs": 3}}), SOURCE)

    assert again == path.read_text()


def test_data_may_move_but_not_change(path):
    same = {"elsewhere/log.csv": "111", "elsewhere/items.csv": "222"}
    record.check_same_data(path, Source("log", same))

    for source in (
        Source("log", same | {"elsewhere/log.csv": "333"}),
        Source("log", {"elsewhere/log.csv": "111"}),
        Source("synthetic"),  # a stand-in has no files
    ):
        with pytest.raises(RunError, match="found now is not what the run was trained on: "):
            record.check_same_data(path, source)


def test_tables_are_whole_or_absent_and_name_their_source(tmp_path):
    table = pl.DataFrame({"user": ["a"], "rank": [1]})

    record.write_parquet(tmp_path / "r.parquet", table, SOURCE)

    assert pl.read_parquet(tmp_path / "r.parquet").equals(table)
    metadata = pl.read_parquet_metadata(tmp_path / "r.parquet")
    assert (metadata["source"], metadata["warnings"]) == ("log", "Loud.")
    assert [path.name for path in tmp_path.iterdir()] == ["r.parquet"]


def test_where_a_dataset_lies_is_no_part_of_what_it_is():
    settings = {"name": "tenrec", "path": "/a", "cache": "/b", "users": None, "offline": "error"}
    assert record.without_places(settings) == {"name": "tenrec"}
