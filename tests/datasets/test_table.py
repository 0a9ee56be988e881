"""A user's own log, in CSV and Parquet."""

import datetime

import numpy as np
import polars as pl
import pydantic
import pytest

from multitask_recommender import config, splits
from multitask_recommender.datasets import table
from multitask_recommender.errors import ConfigError, DataError
from multitask_recommender.experiment import Experiment

LOG = """user,item,time,clicked,liked,stars,country,price,tags
ann,i7,100,1,0,4.5,NO,9.5,new|red
bob,i7,200,0,,,SE,,
ann,i9,300,1,1,2,,3,blue
eve,i7,400,1,0,,DK,10.5,red
"""
COLUMNS = {"user": "user", "item": "item"}


def read(path, fold=None, users=None, items=None, max_rows=None, **columns):
    settings = table.Settings(
        path=str(path),
        columns=table.Columns(**{**COLUMNS, **columns}),
        users=users and str(users),
        items=items and str(items),
        max_rows=max_rows,
    )
    return table.read(settings, fold)


def learn(data, **settings):
    """The tables as a split makes them, of all rows unless it is told otherwise."""
    return splits.split(data, splits.Settings(**{"test": 0, "validation": 0, **settings})).train


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(LOG)
    return path


def words(feature):
    vocabulary = ("", *feature.vocabulary)
    return [
        [vocabulary[c] for c in np.atleast_1d(codes) if c or feature.values.ndim == 1]
        for codes in feature.values
    ]


def features(data):
    return {**data.users.features, **data.items.features}


def test_tabs_separate_the_columns_of_a_tsv(log, tmp_path):
    (tmp_path / "log.tsv").write_text(LOG.replace(",", "\t").replace("i9", "i,9"))

    data = read(tmp_path / "log.tsv", labels={"click": "clicked"})

    assert data.items.raw_ids.tolist() == ["i7", "i,9"]
    assert data.labels["click"].tolist() == [1, 0, 1, 1]


def test_ids_are_numbered_as_they_appear(log):
    data = read(log)

    assert data.users.raw_ids.tolist() == ["ann", "bob", "eve"]
    assert data.items.raw_ids.tolist() == ["i7", "i9"]
    assert data.user_ids.tolist() == [1, 2, 1, 3]
    assert data.item_ids.tolist() == [1, 1, 2, 1]
    assert (data.num_users, data.num_items) == (0, 0)  # no catalogue: training will tell
    assert data.timestamps is None and data.parts is None
    assert list(data.source.files) == [str(log)]


def test_a_missing_label_is_unobserved(log):
    data = read(log, labels={"click": "clicked", "like": "liked", "rating": "stars"})

    assert data.labels["click"].tolist() == [1, 0, 1, 1]
    assert data.is_observed("click").all() and "click" not in data.observed
    assert data.observed["like"].tolist() == [True, False, True, True]
    assert data.labels["rating"].tolist() == [4.5, 0, 2, 0]
    assert data.observed["rating"].tolist() == [True, False, True, False]


def test_features_are_the_last_value_seen_of_each_id(log):
    data = learn(read(log, user_features=["country"], item_features=["price", "tags"]))

    assert words(data.users.features["country"]) == [[""], ["NO"], ["SE"], ["DK"]]
    assert not data.items.features["price"].is_categorical
    np.testing.assert_array_equal(data.items.features["price"].values, [np.nan, 10.5, 3.0])
    assert words(data.items.features["tags"]) == [[], ["red"], ["blue"]]


def test_held_out_rows_tell_nothing_of_features(tmp_path):
    """Neither values, nor vocabularies, nor widths, nor whether a column is text or numbers."""
    learnt = ["train,ann,i7,NO,9.5,new", "train,bob,i7,SE,,old", "validation,ann,i9,DK,3,"]
    held_out = [
        ["test,ann,i7,DK,4.5,new", "test,eve,i9,SE,1.5,"],
        ["test,ann,i7,XX,dear,red|blue|new", "test,eve,i9,YY,inf,green"],
    ]
    seen = []
    for number, test in enumerate(held_out):
        folder = tmp_path / str(number)
        folder.mkdir()
        for part in ("train", "validation", "test"):
            lines = [line for line in learnt + test if line.startswith(part)]
            text = "\n".join(["part,user,item,country,price,tags", *lines])
            (folder / f"{part}.csv").write_text(text)
        data = read(folder, user_features=["country"], item_features=["price", "tags"])
        seen.append(features(learn(data, name="given")))

    # Of ann and bob, then of eve, who is in test only; of i7 and i9.
    assert words(seen[1]["country"]) == [[""], ["DK"], ["SE"], [""]]
    np.testing.assert_array_equal(seen[1]["price"].values, [np.nan, 9.5, 3.0])
    assert words(seen[1]["tags"]) == [[""], ["old"], [""]]
    for name, feature in seen[0].items():
        np.testing.assert_array_equal(seen[1][name].values, feature.values)
        assert seen[1][name].vocabulary == feature.vocabulary
    assert seen[1]["country"].vocabulary == ("DK", "SE")


def test_context_is_of_each_event(log):
    data = learn(
        read(log, context=["country", "price"], post_exposure=["tags"], item_features=["price"])
    )

    assert words(data.context["country"]) == [["NO"], ["SE"], [""], ["DK"]]
    np.testing.assert_array_equal(data.context["price"].values, [9.5, np.nan, 3.0, 10.5])
    assert not data.context["price"].is_categorical
    assert words(data.context["tags"]) == [["new", "red"], [], ["blue"], ["red"]]
    assert data.post_exposure == {"tags"}
    assert list(data.items.features) == ["price"]


def test_held_out_events_tell_nothing_of_context_but_their_own_values(tmp_path):
    lines = {
        "train": ["1,a,NO,9.5,new,3", "2,a,,,new|old,4", "1,b,SE,2.5,,3"],
        "validation": ["2,b,DK,1.5,red,5"],
        "test": ["1,c,SE,4,new|blue|red|old,3", "2,c,XX,,blue,1.5", "3,a,NO|SE,3,,"],
    }
    for part, rows in lines.items():
        text = "\n".join(["user,item,country,price,tags,hour", *rows])
        (tmp_path / f"{part}.csv").write_text(text)

    data = read(tmp_path, context=["country", "price", "tags", "hour"])
    parts = splits.split(data, splits.Settings(name="given"))

    assert parts.train.context["country"].vocabulary == ("DK", "NO", "SE")
    assert words(parts.test.context["country"]) == [["SE"], [""], [""]]
    np.testing.assert_array_equal(parts.test.context["price"].values, [4.0, np.nan, 3.0])
    assert words(parts.test.context["tags"]) == [["new", "red", "old"], [], []]
    assert words(parts.train.context["tags"]) == [["new"], ["new", "old"], []]
    assert words(parts.train.context["hour"]) == [["3"], ["4"], ["3"]]
    assert words(parts.test.context["hour"]) == [["3"], [""], [""]]


def test_a_model_reads_context_of_a_table_and_not_what_is_known_only_later(tmp_path):
    rng = np.random.default_rng(5)
    lines = ["user,item,clicked,device,seconds"]
    for _ in range(200):
        device, user, item = rng.integers(3), rng.integers(9), rng.integers(7)
        lines.append(f"{user},{item},{int(rng.random() < 0.3)},d{device},{rng.random():.3f}")
    (tmp_path / "log.csv").write_text("\n".join(lines))
    columns = {**COLUMNS, "labels": {"click": "clicked"}, "context": ["device"]}
    raw = {
        "dataset": {
            "name": "table",
            "path": str(tmp_path / "log.csv"),
            "columns": {**columns, "post_exposure": ["seconds"]},
        },
        "model": {"name": "two_tower", "context": ["device"]},
        "tasks": {"click": {}},
    }

    assert Experiment(config.parse(raw)).data.train.context["device"].vocabulary[0] == "d0"
    raw["model"]["context"] = ["device", "seconds"]
    with pytest.raises(ConfigError, match="post_exposure_input: The model reads 'seconds', which"):
        Experiment(config.parse(raw))
    raw["traps"] = {"allow": ["post_exposure_input"]}
    assert Experiment(config.parse(raw)).traps[0].name == "post_exposure_input"


def test_dropped_rows_tell_nothing_of_features_either(tmp_path):
    """Of ann and i7, the meeting at time 3 lies after the cut, so it is in no part."""
    lines = ["user,item,time,country", "ann,i7,1,NO", "bob,i8,2,SE", "ann,i7,3,XX", "bob,i9,4,YY"]
    (tmp_path / "log.csv").write_text("\n".join(lines))
    data = read(tmp_path / "log.csv", timestamp="time", user_features=["country"])

    users = learn(data, name="time", test=0.5).users

    assert words(users.features["country"]) == [[""], ["NO"], ["SE"]]
    assert users.features["country"].vocabulary == ("NO", "SE")


def test_parquet_and_csv_give_the_same(log, tmp_path):
    frame = pl.read_csv(log, schema_overrides={"price": pl.Float64})
    frame = frame.with_columns(
        pl.col("tags").str.split("|"), pl.col("clicked").cast(pl.Boolean), pl.col("stars")
    )
    frame.write_parquet(tmp_path / "log.parquet")
    columns = {
        "timestamp": "time",
        "labels": {"click": "clicked", "like": "liked", "rating": "stars"},
        "user_features": ["country"],
        "item_features": ["price", "tags"],
        "context": ["price", "country", "tags"],
    }

    one, other = read(log, **columns), read(tmp_path / "log.parquet", **columns)

    for name in ("user_ids", "item_ids", "timestamps"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for label in one.labels:
        np.testing.assert_array_equal(one.labels[label], other.labels[label])
        np.testing.assert_array_equal(one.is_observed(label), other.is_observed(label))
    one, other = learn(one), learn(other)
    assert list(features(one)) == ["country", "price", "tags"]
    for name, feature in features(one).items():
        same = features(other)[name]
        np.testing.assert_array_equal(feature.values, same.values)
        assert feature.vocabulary == same.vocabulary
    for name, feature in one.context.items():
        np.testing.assert_array_equal(feature.values, other.context[name].values)
        assert feature.vocabulary == other.context[name].vocabulary


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["5", "8589934592"], np.array([5, 8589934592])),
        (["5", "x"], np.array(["5", "x"])),
        (["007", "7"], np.array(["007", "7"])),  # two users
        (["99999999999999999999", "7"], np.array(["99999999999999999999", "7"])),
    ],
)
def test_ids_are_integers_only_if_that_loses_nothing(tmp_path, texts, expected):
    (tmp_path / "log.csv").write_text("user,item\n" + "".join(f"{t},a\n" for t in texts))

    raw_ids = read(tmp_path / "log.csv").users.raw_ids

    assert raw_ids.dtype.kind == expected.dtype.kind
    assert raw_ids.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["10", "20"], [10, 20]),
        (["10.9", "20"], [10, 20]),
        (["1970-01-02", "1970-01-01 00:00:07"], [86_400, 7]),
        (["1970-01-01T00:00:07.5Z", "1970-01-01T02:00:00+02:00"], [7, 0]),
        (["1970-01-01T00:01:00", "1969-12-31T23:59:59"], [60, -1]),
    ],
)
def test_times_are_seconds_utc(tmp_path, texts, expected):
    (tmp_path / "log.csv").write_text("user,item,time\n" + "".join(f"1,2,{t}\n" for t in texts))

    assert read(tmp_path / "log.csv", timestamp="time").timestamps.tolist() == expected


@pytest.mark.parametrize("factor", [10**3, 10**6, 10**9])
def test_times_in_other_units_are_refused_with_what_to_do(factor, tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(f"user,item,time\na,i,{1_700_000_000 * factor}\n")

    with pytest.raises(
        DataError, match=r"log.csv.*: time is 17\d+, which in seconds is beyond the"
    ):
        read(path, timestamp="time")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([datetime.date(1970, 1, 2)], [86_400]),
        ([datetime.datetime(1970, 1, 1, 0, 1)], [60]),
        ([datetime.datetime(1970, 1, 1, 3, tzinfo=datetime.UTC)], [10_800]),
        ([12.75], [12]),
    ],
)
def test_times_of_parquet_have_their_own_types(tmp_path, values, expected):
    path = tmp_path / "log.parquet"
    pl.DataFrame({"user": [1], "item": [2], "time": values}).write_parquet(path)

    assert read(path, timestamp="time").timestamps.tolist() == expected


def test_a_catalogue_comes_first_and_has_its_own_features(log, tmp_path):
    items = tmp_path / "items.csv"
    items.write_text("item,price,colour\ni9,1.5,red\ni1,2.5,blue\n")

    data = read(log, items=items, item_features=["price", "colour", "tags"])

    assert data.items.raw_ids.tolist() == ["i9", "i1", "i7"]
    assert data.num_items == 2
    data = learn(data)
    prices = data.items.features["price"].values  # not the log's
    np.testing.assert_array_equal(prices, [np.nan, 1.5, 2.5, np.nan])
    assert words(data.items.features["colour"]) == [[""], ["red"], ["blue"], [""]]
    assert words(data.items.features["tags"]) == [[], ["blue"], [], ["red"]]  # the log's
    assert set(data.source.files) == {str(log), str(items)}


def test_ids_that_are_numbers_in_one_file_only_are_text_in_both(tmp_path):
    (tmp_path / "log.csv").write_text("user,item\n1,5\n2,6\n")
    (tmp_path / "users.csv").write_text("user\n2\nx\n")

    data = read(tmp_path / "log.csv", users=tmp_path / "users.csv")

    assert data.users.raw_ids.tolist() == ["2", "x", "1"]
    assert data.user_ids.tolist() == [3, 1]
    assert data.items.raw_ids.dtype == np.int64


def test_the_files_of_a_folder_follow_one_another_by_name(tmp_path):
    (tmp_path / "b.csv").write_text("user,item\n1,5\n")
    (tmp_path / "a.csv").write_text("item,user\n6,2\n7,3\n")
    (tmp_path / "notes.txt").write_text("not data")

    assert read(tmp_path).users.raw_ids.tolist() == [2, 3, 1]
    assert read(tmp_path, max_rows=1).users.raw_ids.tolist() == [2]
    assert len(read(tmp_path, max_rows=3)) == 3


def test_a_folder_of_parts_is_a_given_split(tmp_path):
    for name, users in {"test": [9], "train": [1, 2, 3], "validation": [4]}.items():
        rows = "".join(f"{user},5\n" for user in users)
        (tmp_path / f"{name}.csv").write_text("user,item\n" + rows)

    data = read(tmp_path)

    assert data.users.raw_ids.tolist() == [1, 2, 3, 4, 9]
    assert data.parts.tolist() == [0, 0, 0, 1, 2]
    assert read(tmp_path, max_rows=4).parts.tolist() == [0, 0, 1, 2]


def test_columns_of_parquet_files_may_differ_in_width(tmp_path):
    one = pl.DataFrame({"user": pl.Series([1], dtype=pl.Int32), "item": [1]})
    one.write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"user": [2**40], "item": [1]}).write_parquet(tmp_path / "b.parquet")

    assert read(tmp_path).users.raw_ids.tolist() == [1, 2**40]


def test_a_repeated_pair_is_two_events(tmp_path):
    (tmp_path / "log.csv").write_text("user,item\n1,5\n1,5\n")

    assert len(read(tmp_path / "log.csv")) == 2


def test_nan_labels_are_unobserved_and_counted_in_a_warning(tmp_path):
    (tmp_path / "log.csv").write_text("user,item,like\n1,5,NaN\n1,6,1\n1,7,\n")

    data = read(tmp_path / "log.csv", labels={"like": "like"})

    assert data.observed["like"].tolist() == [False, True, False]
    assert data.source.warnings == ("Label like is NaN in 1 of 3 rows: not observed there.",)


def test_max_rows_takes_the_first_rows(log):
    data = read(log, max_rows=2)

    assert data.users.raw_ids.tolist() == ["ann", "bob"]


def test_blank_lines_are_no_rows(tmp_path):
    (tmp_path / "log.csv").write_text("user,item\n1,5\n\n2,6\n\n")

    assert read(tmp_path / "log.csv").users.raw_ids.tolist() == [1, 2]


def test_settings_are_strict():
    with pytest.raises(pydantic.ValidationError, match="columns.user\n"):
        table.Settings(path="x", columns={"item": "i"})
    with pytest.raises(pydantic.ValidationError, match="columns.itme\n"):
        table.Settings(path="x", columns={"user": "u", "item": "i", "itme": "i"})
    late = {"user": "u", "item": "i", "context": ["hour", "read"], "post_exposure": ["read"]}
    with pytest.raises(pydantic.ValidationError, match="'read' is in context and in post_exposure"):
        table.Settings(path="x", columns=late)


def test_there_are_no_folds(log):
    with pytest.raises(ConfigError, match="split.fold is 'u1': table has no folds"):
        read(log, "u1")
