"""Tenrec's files as Interactions: on small files in their form, and on the real rows."""

import pathlib
import shutil

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from multitask_recommender import splits
from multitask_recommender.datasets import tenrec
from multitask_recommender.datasets._tenrec import prepare
from multitask_recommender.errors import ConfigError, DataError

VIDEO = "user_id,item_id,click,follow,like,share,video_category,watching_times,gender,age"
CTR = VIDEO + "," + ",".join(f"hist_{n}" for n in range(1, 11))
ARTICLE = (
    "user_id,item_id,click,gender,age,exposure_count,click_count,like_count,comment_count,"
    "read_percentage,item_score1,item_score2,category_second,category_first,item_score3,"
    "read,read_time,share,like,follow,favorite"
)
# Two users, three items in the rows and one more in a history; item 40 has no category at first.
CTR_ROWS = [
    "3,70,1,0,0,0,1,2,1,0,70,900,0,0,0,0,0,0,0,0",
    "3,40,0,0,1,0,\\N,0,1,0,70,900,0,0,0,0,0,0,0,0",
    "8,40,1,1,0,0,0,1,2,7,0,0,0,0,0,0,0,0,0,0",
    "8,70,0,0,0,1,1,0,2,7,0,0,0,0,0,0,0,0,0,0",
    "8,55,1,0,0,0,1,3,2,7,0,0,0,0,0,0,0,0,0,0",
]


@pytest.fixture(autouse=True)
def no_other_caches(elsewhere, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(elsewhere / "home"))


@pytest.fixture
def read(tmp_path):
    """Writes a file in the form of Tenrec and reads it."""

    def read(rows=CTR_ROWS, header=CTR, scenario="ctr_1m", **settings):
        path = tmp_path / "tenrec" / tenrec.FILES[scenario][0][0]
        path.parent.mkdir(exist_ok=True)
        text = "\n".join([header, *rows]) + "\n"
        path.write_text(text)
        return tenrec.read(
            tenrec.Settings(scenario=scenario, path=str(path.parent), **settings), None
        )

    return read


def words(feature, row):
    """What a feature says of a dense id."""
    values = np.atleast_1d(feature.values[row])
    return [feature.vocabulary[code - 1] for code in values if code]


@pytest.mark.parametrize(
    ("scenario", "header", "row"),
    [("ctr_1m", CTR, CTR_ROWS[0]), ("qk_article", ARTICLE, "4,9,1,2,3" + 10 * ",5" + 6 * ",1")],
)
def test_what_rows_will_hold_is_known_before(scenario, header, row, read):
    found = read([row], header, scenario)

    assert tenrec.Settings(scenario=scenario).columns_held() == {
        "labels": {name: values.itemsize for name, values in found.labels.items()},
        "context": {name: each.values.itemsize for name, each in found.context.items()},
        "timestamps": {"timestamp": found.timestamps.itemsize},
    }


def test_a_row_is_an_exposure_with_its_labels(read):
    found = read()

    assert found.users.raw_ids.tolist() == [3, 8]
    assert found.items.raw_ids.tolist() == [40, 55, 70, 900]  # 900 is in a history only
    assert found.user_ids.tolist() == [1, 1, 2, 2, 2]
    assert found.item_ids.tolist() == [3, 1, 1, 3, 2]
    assert {name: values.tolist() for name, values in found.labels.items()} == {
        "click": [1, 0, 1, 0, 1],
        "follow": [0, 0, 1, 0, 0],
        "like": [0, 1, 0, 0, 0],
        "share": [0, 0, 0, 1, 0],
    }
    assert found.observed == {}
    assert found.timestamps.tolist() == [0, 1, 2, 3, 4]
    assert found.ordered_by_user
    assert (found.num_users, found.num_items) == (0, 0)  # the split settles the vocabulary
    assert found.source.name == "Tenrec ctr_1m"
    assert found.source.warnings == ()


def test_what_is_of_users_and_items_is_in_their_tables(read):
    found = read()

    users, items = found.users.features, found.items.features
    assert [words(users["gender"], row) for row in range(3)] == [[], ["1"], ["2"]]
    assert [words(users["age"], row) for row in range(3)] == [[], [], ["7"]]  # 0 is unknown
    category = items["video_category"]
    assert [words(category, row) for row in range(5)] == [[], ["0"], ["1"], ["1"], []]
    assert words(users["first_clicks"], 1) == ["70", "900"]
    assert users["first_clicks"].values.shape == (3, 10)
    assert not users["first_clicks"].values[[0, 2]].any()
    assert users["first_clicks"].of_items
    assert found.future_features == {"first_clicks"}


def test_what_is_known_after_the_exposure_is_context_and_named(read):
    found = read()

    assert found.context["watching_times"].values.tolist() == [2, 0, 1, 0, 3]
    assert not found.context["watching_times"].is_categorical
    assert found.post_exposure == {"watching_times"}


def file_that_is_mapped_at(address):
    """The name of the file whose bytes are the memory there; None for memory of no file."""
    for line in pathlib.Path("/proc/self/maps").read_text().splitlines():
        span, *_, path = line.split(maxsplit=5)
        first, end = (int(bound, 16) for bound in span.split("-"))
        if first <= address < end:
            return pathlib.Path(path).name if path.startswith("/") else None
    return None


@pytest.mark.skipif(not pathlib.Path("/proc/self/maps").exists(), reason="no /proc/self/maps")
def test_columns_are_the_bytes_of_arrow_files_mapped_not_copied(read):
    found = read()

    columns = {
        "user_id": found.user_ids,
        "item_id": found.item_ids,
        "timestamp": found.timestamps,
        "label-click": found.labels["click"],
        "context-watching_times": found.context["watching_times"].values,
        "users-raw_id": found.users.raw_ids,
        "users-first_clicks": found.users.features["first_clicks"].values,
        "items-video_category": found.items.features["video_category"].values,
    }
    for name, values in columns.items():
        assert file_that_is_mapped_at(values.ctypes.data) == f"{name}.arrow"
        assert not values.flags.owndata
        assert values.flags.c_contiguous
        assert values.flags.aligned
        assert not values.flags.writeable
    assert found.user_ids.dtype == found.item_ids.dtype == np.int32
    assert found.labels["click"].dtype == np.uint8


def test_any_reader_of_arrow_opens_the_columns(read, tmp_path):
    read(cache=str(tmp_path / "cache"))

    (folder,) = (tmp_path / "cache").iterdir()
    assert {path.suffix for path in folder.iterdir()} == {".arrow", ".json"}
    tables = {path.stem: pl.read_ipc(path) for path in folder.glob("*.arrow")}
    assert all(table.columns == [name] for name, table in tables.items())
    values = {name: table.to_series().to_list() for name, table in tables.items()}
    assert values["user_id"] == [1, 1, 2, 2, 2]
    assert values["item_id"] == [3, 1, 1, 3, 2]
    assert values["label-like"] == [0, 1, 0, 0, 0]
    assert values["context-watching_times"] == [2, 0, 1, 0, 3]
    assert values["items-raw_id"] == [40, 55, 70, 900]
    assert values["users-first_clicks"] == [[0] * 10, [3, 4, *[0] * 8], [0] * 10]
    assert tables["users-first_clicks"].dtypes == [pl.Array(pl.Int32, 10)]
    for path in folder.glob("*.arrow"):
        assert pa.ipc.open_file(path).num_record_batches == 1


def test_articles_have_floats_words_for_labels_and_counts_that_overflowed(read):
    rows = [
        "5,9,1.0,1,5,4294967295,429,22761,4179,558.0,1.0,3.0,11206,112,2.0,True,102.0,"
        "False,True,False,False",
        "5,2,1.0,1,5,335637,46816,61,96,34.0,\\N,3.5,12103,121,5.0,False,23.0,"
        "True,False,False,True",
    ]

    found = read(rows, ARTICLE, "qk_article")

    assert {name: values.tolist() for name, values in found.labels.items()} == {
        "click": [1, 1],
        "follow": [0, 0],
        "like": [1, 0],
        "share": [0, 1],
        "read": [1, 0],
        "favorite": [0, 1],
    }
    exposures = found.context["exposure_count"].values
    assert np.isnan(exposures[0])
    assert exposures[1] == 335_637
    assert found.context["read_percentage"].values.tolist() == [558, 34]
    assert (
        found.post_exposure
        == found.context.keys()
        == {
            *("exposure_count", "click_count", "like_count", "comment_count"),
            *("read_percentage", "read_time"),
        }
    )
    items = found.items.features  # in the order of raw ids: 2, 9
    assert [words(items["category_second"], row) for row in (1, 2)] == [["12103"], ["11206"]]
    np.testing.assert_array_equal(items["item_score1"].values, [np.nan, np.nan, 1])
    np.testing.assert_array_equal(items["item_score2"].values, [np.nan, 3.5, 3])
    assert found.source.warnings == ("exposure_count overflowed in 1 of 2 rows: missing there.",)


def test_a_null_label_is_not_observed(read):
    rows = [CTR_ROWS[0], CTR_ROWS[1].replace("3,40,0,0,1", "3,40,0,0,\\N")]

    found = read(rows)

    assert found.is_observed("like").tolist() == [True, False]
    assert found.is_observed("click").all()
    assert found.positives("like").tolist() == [False, False]
    assert found.source.warnings == ("Label like is \\N in 1 of 2 rows: not observed there.",)


def test_values_that_do_not_agree_are_counted_and_the_first_is_taken(read, monkeypatch):
    rows = [
        "1,5,1,0,0,0,1,0,1,3",
        "1,5,0,0,0,0,0,0,1,4",  # another category of item 5, another age of user 1
        "1,6,0,0,0,0,1,0,1,3",
        "2,6,0,0,0,0,0,0,2,2",  # another category of item 6
    ]
    for piece in (4, 1 << 20):  # whether rows of a user are read together or apart
        monkeypatch.setattr(prepare, "PIECE_BYTES", piece)
        found = read(rows, VIDEO, "qb_video", cache=f"cache {piece}")

        assert words(found.users.features["age"], 1) == ["3"]
        assert words(found.items.features["video_category"], 1) == ["1"]
        assert found.source.warnings == (
            "age differs between rows of 1 users: the first row is taken.",
            "video_category differs between rows of 2 items: the first is taken.",
        )


def test_columns_are_known_by_name_and_others_are_ignored(read):
    header = "age,note,like,item_id,user_id,click"
    rows = ["2,some text,1,7,4,0", "2,,0,6,4,1"]

    found = read(rows, header, "qb_video")

    assert found.item_ids.tolist() == [2, 1]
    assert found.labels.keys() == {"click", "like"}
    assert found.labels["click"].tolist() == [0, 1]
    assert words(found.users.features["age"], 1) == ["2"]
    assert found.source.warnings == (
        "Ignored columns that qb_video does not have: note.",
        "The file lacks columns of qb_video: follow, share, video_category, watching_times, "
        "gender.",
    )


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + "\n".join([CTR, *CTR_ROWS]).encode(),
        "\r\n".join([CTR, *CTR_ROWS, ""]).encode(),
        "\n".join([CTR, "", *CTR_ROWS[:2], "", *CTR_ROWS[2:], "", ""]).encode(),
    ],
    ids=["a mark at the start, no line break at the end", "CRLF", "blank lines"],
)
@pytest.mark.parametrize("piece_bytes", [1, 1 << 20])
def test_line_breaks_and_byte_order_marks_make_no_difference(
    read, tmp_path, monkeypatch, text, piece_bytes
):
    monkeypatch.setattr(prepare, "PIECE_BYTES", piece_bytes)
    path = tmp_path / "some.csv"
    path.write_bytes(text)

    found = tenrec.read(tenrec.Settings(scenario="ctr_1m", path=str(path)))

    assert found.users.raw_ids.tolist() == [3, 8]
    assert found.item_ids[:2].tolist() == read().item_ids[:2].tolist()
    assert found.labels["click"].tolist() == [1, 0, 1, 0, 1]


@pytest.mark.parametrize("max_rows", [1, 2, 3, 5, 9])
def test_the_first_rows_alone_are_read(read, max_rows):
    whole, some = read(), read(max_rows=max_rows)

    count = min(max_rows, 5)
    assert len(some) == count
    raw = [found.items.raw_ids[found.item_ids[:count] - 1].tolist() for found in (whole, some)]
    assert raw[0] == raw[1]
    assert some.source.name == f"Tenrec ctr_1m (first {count} rows)"


def test_what_lies_behind_the_first_rows_is_not_looked_at(read):
    assert len(read([*CTR_ROWS, "no row"], max_rows=5)) == 5


@pytest.mark.parametrize("piece_bytes", [1, 50, 130, 1 << 20])
def test_a_file_read_in_pieces_is_the_same(read, monkeypatch, piece_bytes):
    rng = np.random.default_rng(0)
    rows = []
    for user in np.sort(rng.integers(1, 9, 60)):
        item, click, like, times = rng.integers(1, [30, 2, 2, 5])
        past = ",".join(str(user * n % 40) for n in range(10))
        rows.append(f"{user},{item},{click},0,{like},0,{item % 2},{times},{user % 3},1,{past}")
    expected = [[int(value) for value in row.split(",")] for row in rows]
    monkeypatch.setattr(prepare, "PIECE_BYTES", piece_bytes)

    found = read(rows)

    users, items = found.users.raw_ids, found.items.raw_ids
    assert (np.diff(items) > 0).all()
    assert users[found.user_ids - 1].tolist() == [row[0] for row in expected]
    assert items[found.item_ids - 1].tolist() == [row[1] for row in expected]
    assert found.labels["like"].tolist() == [row[4] for row in expected]
    assert found.context["watching_times"].values.tolist() == [row[7] for row in expected]
    past = np.append(0, items)[found.users.features["first_clicks"].values[found.user_ids]]
    assert past.tolist() == [row[10:] for row in expected]
    assert found.source.warnings == ()


def test_a_split_leaves_first_clicks_the_same_items(read):
    """The split renumbers items, known ones first; what only held-out rows have is no code."""
    found = read()
    parts = splits.split(found, splits.Settings(name="leave_last_out", validation=0))

    train = parts.train
    # Item 55 is the last of user 8, so in test only; 900 is in no row. 40 and 70 stay known.
    assert train.num_items == 2
    past = train.users.features["first_clicks"]
    user = train.users.raw_ids.tolist().index(3) + 1
    assert words(past, user) == ["70"]
    assert len(past.vocabulary) == 2
    assert past.of_items
    assert past.values.max() == train.items.raw_ids.tolist().index(70) + 1


def test_the_misspelt_name_is_found_too(tmp_path):
    (tmp_path / "QB-artilce.csv").write_text("user_id,item_id,click\n1,2,1.0\n")

    found = tenrec.read(tenrec.Settings(scenario="qb_article", path=str(tmp_path)))

    assert found.labels["click"].tolist() == [1]


def test_without_a_path_the_usual_folders_are_tried(elsewhere, monkeypatch):
    folder = elsewhere / "data" / "tenrec"
    folder.mkdir(parents=True)
    (folder / "task_3.csv").write_text("user_id,item_id,click,gender,age\n1,2,1,1,4\n")

    assert len(tenrec.read(tenrec.Settings(scenario="task_3"))) == 1

    monkeypatch.setenv("MTR_DATA", str(elsewhere / "other"))
    assert len(tenrec.read(tenrec.Settings(scenario="task_3"))) == 1


def test_a_missing_file_says_where_it_was_looked_for_and_how_to_get_it(tmp_path):
    (tmp_path / "QK-video.csv").write_text("")

    with pytest.raises(DataError) as caught:
        tenrec.read(tenrec.Settings(scenario="qb_article", path=str(tmp_path)))

    message = str(caught.value)
    assert "no QB-article.csv or QB-artilce.csv, the file of scenario qb_article" in message
    assert f"{tmp_path} (holds QK-video.csv)" in message
    assert "accept its licence (CC BY-NC 4.0)" in message
    assert "https://static.qblv.qq.com/qblv/h5/algo-frontend/tenrec_dataset.html" in message
    assert "github.com/yuangh-x/2022-NIPS-Tenrec" in message
    assert "\n" not in message


def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(DataError, match=r"Looked in: .*nowhere \(no such folder\)"):
        tenrec.read(tenrec.Settings(scenario="qb_video", path=str(tmp_path / "nowhere")))
    with pytest.raises(DataError, match="path is not set.*data/tenrec .no such folder"):
        tenrec.read(tenrec.Settings(scenario="qb_video"))


def test_there_are_no_folds(read):
    settings = tenrec.Settings(scenario="ctr_1m", path=".")

    with pytest.raises(ConfigError, match="split.fold is 'u1': tenrec has no folds"):
        tenrec.read(settings, "u1")


class TestTheRealRows:
    """17 rows that public notes quote."""

    @pytest.fixture
    def read(self, request, tmp_path):
        def read(scenario, name):
            source = request.getfixturevalue("mtr_data") / "tenrec" / f"real_rows_{name}.csv"
            if not source.exists():
                pytest.skip(f"{source} is not there")
            shutil.copy(source, tmp_path / tenrec.FILES[scenario][0][0])
            return tenrec.read(tenrec.Settings(scenario=scenario, path=str(tmp_path)))

        return read

    @pytest.fixture
    def elsewhere(self, tmp_path):
        return tmp_path  # with MTR_DATA, unlike the others

    def test_of_videos(self, read):
        found = read("qk_video", "QK-video")

        assert (len(found), len(found.users.raw_ids), len(found.items.raw_ids)) == (5, 2, 5)
        assert found.labels["click"].tolist() == [1, 1, 1, 0, 1]
        assert found.source.warnings == ()

    def test_of_sessions(self, read):
        found = read("sbr_1m", "sbr_data_1M")

        assert found.items.raw_ids.tolist() == [1, 2, 3, 781, 80936]
        assert found.labels["click"].all()

    def test_of_click_prediction(self, read):
        found = read("ctr_1m", "ctr_data_1M")

        assert found.items.raw_ids[found.item_ids - 1].tolist() == [4, 1201]
        assert words(found.users.features["first_clicks"], 1)[:3] == ["2", "3", "80936"]
        assert len(words(found.users.features["first_clicks"], 1)) == 10

    def test_of_articles_without_a_column(self, read):
        found = read("qk_article", "QK-article_item_score1_hidden")

        assert len(found) == 5
        assert found.labels["click"].all()
        assert found.labels["read"].tolist() == [1, 1, 1, 1, 1]
        assert found.context["read_percentage"].values.tolist() == [91, 34, 28, 62, 75]
        assert words(found.items.features["category_first"], 1) == ["112"]
        assert found.source.warnings == ("The file lacks columns of qk_article: item_score1.",)
