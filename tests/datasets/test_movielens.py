"""The releases of MovieLens, from small files of their forms and, where there are any, the real."""

import numpy as np
import pydantic
import pytest

from multitask_recommender.datasets import _download, movielens
from multitask_recommender.errors import ConfigError, DataError
from multitask_recommender.interactions import Feature


def read(folder, variant="100k", fold=None, **settings):
    return movielens.read(movielens.Settings(path=str(folder), variant=variant, **settings), fold)


def meaning(feature: Feature) -> list:
    """The feature's values as words, row by row from the unknown."""
    words = ("", *feature.vocabulary)
    if feature.values.ndim == 1:
        return [words[code] for code in feature.values]
    return [[words[code] for code in codes if code] for codes in feature.values]


def test_rows_keep_the_order_of_the_file_and_the_catalogue_comes_first(ml_100k):
    data = read(ml_100k)

    assert data.users.raw_ids.tolist() == [1, 2, 3, 900]
    assert data.items.raw_ids.tolist() == [10, 20, 30, 40, 50]
    assert (data.num_users, data.num_items) == (3, 4)
    assert data.user_ids.tolist() == [3, 1, 3, 1, 4, 3, 1]
    assert data.item_ids.tolist() == [1, 3, 2, 1, 5, 3, 2]
    assert data.user_ids.dtype == data.item_ids.dtype == np.int32
    assert data.timestamps.tolist() == [1000, 4000, 2000, 3000, 5000, 6000, 7000]
    assert data.parts is None


def test_labels_are_the_stars_and_like_from_four_stars_up(ml_100k):
    data = read(ml_100k)

    assert data.labels["rating"].tolist() == [5, 3, 4, 1, 2, 4, 5]
    assert data.labels["like"].tolist() == [1, 0, 1, 0, 0, 1, 1]
    assert data.labels["rating"].dtype == data.labels["like"].dtype == np.float32


def test_features_of_100k_are_read_and_missing_ones_are_empty(ml_100k):
    data = read(ml_100k)

    assert meaning(data.users.features["age"]) == ["", "under 18", "18-24", "56+", ""]
    assert meaning(data.users.features["gender"]) == ["", "F", "M", "M", ""]
    assert meaning(data.users.features["occupation"]) == ["", "writer", "none", "writer", ""]
    assert meaning(data.items.features["genres"]) == [
        [],
        ["Comedy", "Romance"],
        [],  # its one flag says that the genre is unknown
        [],
        ["Drama"],
        [],
    ]
    assert meaning(data.items.features["year"]) == ["", "1995", "1971", "", "1997", ""]
    assert meaning(data.items.features["title"])[1:5] == [
        ["käse", "wine"],
        ["the", "other", "film"],
        ["unknown"],
        ["don't", "look"],
    ]


def test_a_given_fold_is_its_base_and_then_its_test_rows(ml_100k):
    data = read(ml_100k, fold="u1")

    assert data.parts.tolist() == [0, 0, 0, 0, 0, 0, 2]
    assert data.labels["rating"].tolist() == [3, 4, 1, 2, 4, 5, 5]
    assert {path.rsplit("/")[-1] for path in data.source.files} == {
        "u1.base",
        "u1.test",
        "u.item",
        "u.user",
    }


def test_the_source_has_the_checksum_of_each_file(ml_100k):
    (ml_100k / "u.user").write_text("1|17|F|writer|1\n")

    # md5sum of that line
    assert read(ml_100k).source.files[str(ml_100k / "u.user")] == (
        "a8cfa604e324dfe3cecf6456da76fa5e"
    )


def test_1m_is_read_with_and_without_its_clock(ml_1m):
    with_clock = read(ml_1m, "1m")
    text = (ml_1m / "ratings.dat").read_text()
    (ml_1m / "ratings.dat").unlink()
    (ml_1m / "ratings_no_timestamp.dat").write_text(
        "".join(line.rsplit("::", 1)[0] + "\n" for line in text.splitlines())
    )

    without = read(ml_1m, "1m")

    assert with_clock.timestamps.tolist() == [1000, 4000, 2000, 3000, 5000, 6000, 7000]
    assert without.timestamps is None
    np.testing.assert_array_equal(with_clock.item_ids, without.item_ids)
    assert without.labels["rating"].tolist() == [5, 3, 4, 1, 2, 4, 5]
    assert meaning(without.items.features["title"])[1] == ["star", "trek", "film", "2"]
    assert meaning(without.items.features["genres"])[1] == ["Drama", "Sci-Fi"]
    assert meaning(without.items.features["title"])[2] == ["café"]
    assert meaning(without.users.features["age"]) == ["", "under 18", "56+", "25-34", ""]


def test_10m_has_half_stars_and_no_file_of_users(ml_1m):
    (ml_1m / "users.dat").unlink()
    (ml_1m / "ratings.dat").write_text("7::20::3.5::9\n5::10::0.5::8\n")

    data = read(ml_1m, "10m")

    assert data.labels["rating"].tolist() == [3.5, 0.5]
    assert data.users.raw_ids.tolist() == [7, 5]
    assert data.num_users == 0  # no catalogue of users: training will tell


@pytest.mark.parametrize("variant", ["latest-small", "20m", "25m", "32m"])
def test_csv_releases_have_half_stars_and_quoted_titles(ml_csv, variant):
    data = read(ml_csv, variant)

    assert data.labels["rating"].tolist() == [4.5, 2.5, 3.5, 0.5, 1.5, 3.5, 4.5]
    assert data.labels["like"].tolist() == [1, 0, 0, 0, 0, 0, 1]
    assert data.items.raw_ids.tolist() == [10, 20, 30, 40, 50]
    assert meaning(data.items.features["title"])[1] == ["wine", "the", "best"]
    assert meaning(data.items.features["genres"])[1:3] == [["Comedy", "Drama"], []]
    assert meaning(data.items.features["year"])[1:5] == ["1995", "1971", "", "1999"]


def test_ids_beyond_32_bits_are_kept(ml_100k):
    (ml_100k / "u.data").write_text("8589934592\t10\t3\t1\n")

    assert read(ml_100k).users.raw_ids[-1] == 8589934592


@pytest.mark.parametrize("extra", ["\n\n", "\r\n"])
def test_blank_lines_are_no_rows(ml_100k, extra):
    with (ml_100k / "u.data").open("a") as file:
        file.write(extra)

    assert len(read(ml_100k)) == 7


def test_max_rows_takes_the_first_rows(ml_100k):
    assert read(ml_100k, max_rows=2).labels["rating"].tolist() == [5, 3]


def test_max_rows_of_a_fold_takes_the_first_of_each_part(ml_100k):
    data = read(ml_100k, fold="u1", max_rows=4)

    assert data.parts.tolist() == [0, 0, 0, 2]  # 4/7 of 6, and at least one
    assert data.labels["rating"].tolist() == [3, 4, 1, 5]


def test_mtr_data_comes_before_the_data_folder(ml_100k, monkeypatch, elsewhere):
    with_data = movielens.Settings()
    (elsewhere / "data").mkdir()
    ml_100k.rename(elsewhere / "data" / "ml-100k")
    assert len(movielens.read(with_data)) == 7

    mine = elsewhere / "mine" / "ml-100k"
    mine.mkdir(parents=True)
    monkeypatch.setenv("MTR_DATA", str(mine.parent))
    with pytest.raises(DataError, match="mine/ml-100k: no u.data"):
        movielens.read(with_data)


def test_offline_a_synthetic_sample_of_the_same_shape_stands_in_and_says_so(elsewhere, monkeypatch):
    monkeypatch.setattr(_download, "is_online", lambda: False)

    data = movielens.read(movielens.Settings())

    assert (data.num_users, data.num_items, len(data)) == (943, 1682, 100_000)
    assert data.source.name.startswith("synthetic")
    (warning,) = data.source.warnings
    assert warning.startswith("SYNTHETIC DATA stands in for MovieLens 100k")
    assert "data/ml-100k" in warning and "No network" in warning


def test_offline_error_forbids_the_stand_in(elsewhere, monkeypatch):
    monkeypatch.setattr(_download, "is_online", lambda: False)

    with pytest.raises(DataError, match="MovieLens 1m was not found in data/ml-1m: unpack it"):
        movielens.read(movielens.Settings(variant="1m", offline="error"))


def test_a_fold_is_never_stood_in_for(elsewhere):
    with pytest.raises(DataError, match="split.fold is u2, which needs the MovieLens files"):
        movielens.read(movielens.Settings(), "u2")


def test_a_fold_that_does_not_exist_is_a_config_error():
    with pytest.raises(ConfigError, match=r"split.fold is 'u6'.*u1, u2, u3, u4, u5, ua, ub"):
        movielens.read(movielens.Settings(), "u6")
    with pytest.raises(ConfigError, match="MovieLens 1m has no given splits"):
        movielens.read(movielens.Settings(variant="1m"), "u1")


@pytest.mark.parametrize("setting", [{"variant": "100M"}, {"max_rows": 0}, {"pth": "x"}])
def test_impossible_settings_are_refused(setting):
    with pytest.raises(pydantic.ValidationError, match=next(iter(setting))):
        movielens.Settings(**setting)


def test_real_100k_has_its_published_size(mtr_data):
    data = movielens.read(movielens.Settings(path=str(mtr_data / "ml-100k")))

    assert (len(data), data.num_users, data.num_items) == (100_000, 943, 1_682)
    assert data.source.files[str(mtr_data / "ml-100k" / "u.data")] == (
        "6e47046882bad158b0efbb84cd5cb987"
    )


@pytest.mark.parametrize(
    ("fold", "sizes"), [("u1", [80_000, 0, 20_000]), ("ua", [90_570, 0, 9_430])]
)
def test_real_folds_have_their_published_sizes(mtr_data, fold, sizes):
    data = movielens.read(movielens.Settings(path=str(mtr_data / "ml-100k")), fold)

    assert np.bincount(data.parts, minlength=3).tolist() == sizes


def test_real_1m_has_its_published_size(mtr_data):
    data = movielens.read(movielens.Settings(variant="1m", path=str(mtr_data / "ml-1m")))

    assert (len(data), data.num_users, data.num_items) == (1_000_209, 6_040, 3_883)
    assert data.timestamps is None
    assert data.users.num_known == len(data.users.raw_ids)  # every rated film is in the catalogue
