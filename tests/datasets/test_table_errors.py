"""Tables that are missing or faulty: the message names file, line and value."""

import numpy as np
import polars as pl
import pytest

from multitask_recommender import splits
from multitask_recommender.datasets import table
from multitask_recommender.errors import DataError

LOG = """user,item,time,clicked,liked,stars,country,price,tags
ann,i7,100,1,0,4.5,NO,9.5,new|red
bob,i7,200,0,,,SE,,
ann,i9,300,1,1,2,,3,blue
eve,i7,400,1,0,,DK,10.5,red
"""
COLUMNS = {"user": "user", "item": "item"}


def read(path, users=None, **columns):
    columns = table.Columns(**{**COLUMNS, **columns})
    return table.read(table.Settings(path=str(path), columns=columns, users=users and str(users)))


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(LOG)
    return path


def test_quoted_texts_may_hold_commas_and_line_breaks(tmp_path):
    (tmp_path / "log.csv").write_text('user,item,note\n"a,b",1,"two\nlines"\nc,2,\nd,,\n')

    with pytest.raises(DataError, match="log.csv line 5: item is empty"):
        read(tmp_path / "log.csv", user_features=["note"])


def test_an_id_twice_in_a_catalogue_is_an_error(log, tmp_path):
    (tmp_path / "users.csv").write_text("user\nann\nbob\nann\n")

    with pytest.raises(DataError, match="users.csv line 2: user 'ann' is in more than one row"):
        read(log, users=tmp_path / "users.csv")


@pytest.mark.parametrize(
    ("line", "columns", "message"),
    [
        (",i1,1,1,1,1,a,1,b", {}, "log.csv line 6: user is empty, every row needs its user"),
        ("eve,,1,1,1,1,a,1,b", {}, "log.csv line 6: item is empty"),
        ("eve,i1", {}, "log.csv line 6: 2 columns, expected 9: 'eve,i1'"),
        ("eve,i1,1,1,1,1,a,1,b,c", {}, "log.csv line 6: 10 columns, expected 9"),
        (
            "eve,i1,1,yes,1,1,a,1,b",
            {"labels": {"click": "clicked"}},
            r"log.csv line 6: label click \(clicked\) is 'yes', expected 0, 1, true or false",
        ),
        (
            "eve,i1,1,2,1,1,a,1,b",
            {"labels": {"click": "clicked"}},
            r"log.csv line 6: label click \(clicked\) is '2', expected 0, 1",
        ),
        (
            "eve,i1,1,1,1,good,a,1,b",
            {"labels": {"rating": "stars"}},
            r"log.csv line 6: label rating \(stars\) is 'good', expected a finite number",
        ),
        (
            "eve,i1,1,1,1,inf,a,1,b",
            {"labels": {"rating": "stars"}},
            "log.csv line 6: label rating .* is 'inf', expected a finite number",
        ),
        (
            "eve,i1,noon,1,1,1,a,1,b",
            {"timestamp": "time"},
            "log.csv line 6: time is 'noon', expected",
        ),
        ("eve,i1,,1,1,1,a,1,b", {"timestamp": "time"}, "log.csv line 6: time is empty, expected"),
    ],
)
def test_a_faulty_line_is_named_with_what_was_found(log, line, columns, message):
    with log.open("a") as file:
        file.write(line + "\n")

    with pytest.raises(DataError, match=message):
        read(log, **columns)


def test_an_infinite_feature_is_named_by_its_line_among_all(log):
    with log.open("a") as file:
        file.write("eve,i1,1,1,1,1,a,2,b\neve,i1,1,1,1,1,a,inf,b\n")
    data = read(log, item_features=["price"])

    with pytest.raises(DataError, match="line 7: price is infinite"):
        data.log_features(np.arange(len(data)) >= 2)


@pytest.mark.parametrize(
    ("price", "message"),
    [
        ("dear", "log.csv line 6: price is 'dear', expected a number, as the rows that are learnt"),
        ("-inf", "log.csv line 6: price is infinite"),
    ],
)
def test_a_faulty_number_of_a_held_out_event_is_named(log, price, message):
    """Else it would be read as missing, without a word."""
    with log.open("a") as file:
        file.write(f"eve,i1,1,1,1,1,a,{price},b\n")
    data = read(log, context=["price"])

    with pytest.raises(DataError, match=message):
        data.log_features(np.arange(len(data)) < 4)


def test_context_may_not_be_called_like_something_else(log):
    data = read(log, labels={"price": "clicked"}, context=["price"])

    with pytest.raises(DataError, match="price is a label and a context feature"):
        splits.split(data, splits.Settings(name="random"))


def test_a_faulty_row_of_parquet_is_named(tmp_path):
    path = tmp_path / "log.parquet"
    pl.DataFrame({"user": ["a", None], "item": [1, 2]}).write_parquet(path)

    with pytest.raises(DataError, match="log.parquet row 2: user is empty"):
        read(path)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"user": "usr"}, "dataset.columns.user is 'usr', but .*log.csv has no such column. Did"),
        ({"labels": {"like": "lked"}}, "dataset.columns.labels.like is 'lked'.* mean 'liked'"),
        ({"timestamp": "when"}, "dataset.columns.timestamp is 'when'.* Columns: user, item, time,"),
        ({"context": ["tegs"]}, "dataset.columns.context is 'tegs'.* mean 'tags'"),
        ({"post_exposure": ["tgs"]}, "dataset.columns.post_exposure is 'tgs'.* mean 'tags'"),
        ({"item_features": ["prize"]}, "columns.item_features is 'prize'.* mean 'price'"),
    ],
)
def test_a_missing_column_is_an_error_with_the_nearest_name(log, columns, message):
    with pytest.raises(DataError, match=message):
        read(log, **columns)


def test_files_that_cannot_be_read_are_named(tmp_path):
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "header.csv").write_text("user,item\n")
    (tmp_path / "broken.parquet").write_text("not parquet at all")
    (tmp_path / "latin.csv").write_bytes(b"user,item\n1,2\nJos\xe9,3\n")
    (tmp_path / "log.json").write_text("{}")
    (tmp_path / "nothing").mkdir()

    for name, message in {
        "missing.csv": "dataset.path is .*missing.csv: no such file or folder",
        "empty.csv": "empty.csv is empty",
        "header.csv": "header.csv is empty: it has columns, but no rows",
        "broken.parquet": "broken.parquet cannot be read",
        "latin.csv": "latin.csv line 3: 'Jos.*' is not UTF-8 text",
        "log.json": "log.json: expected a .csv, .tsv or .parquet file",
        "nothing": "the folder has no .csv, .tsv or .parquet files",
        ".": "files of several kinds side by side",
    }.items():
        with pytest.raises(DataError, match=message):
            read(tmp_path / name)
