"""Lists of items by user: what is read of them, and what is wrong with faulty ones."""

import os
import re

import pytest

from multitask_recommender import splits
from multitask_recommender.datasets import adjacency
from multitask_recommender.errors import ConfigError, DataError

# Three users, five items; user 4 meets nothing in train, and item 90 is in test alone.
TRAIN = "0 30 7 12\n2 7\n4\n"
TEST = "0 5\n2 30 90 \n4 12\n"


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "gowalla"
    path.mkdir()
    (path / "train.txt").write_text(TRAIN)
    (path / "test.txt").write_text(TEST)
    return path


def read(folder, **settings):
    return adjacency.read(adjacency.Settings(path=str(folder), **settings))


def raw(rows):
    users, items = rows.users.raw_ids[rows.user_ids - 1], rows.items.raw_ids[rows.item_ids - 1]
    return list(zip(users.tolist(), items.tolist(), strict=True))


TRAIN_PAIRS = [(0, 30), (0, 7), (0, 12), (2, 7)]
TEST_PAIRS = [(0, 5), (2, 30), (2, 90), (4, 12)]


def test_a_line_is_a_user_and_his_items_in_the_order_of_the_file(folder):
    read_rows = read(folder)

    assert raw(read_rows) == TRAIN_PAIRS + TEST_PAIRS
    assert read_rows.parts.tolist() == [0] * 4 + [2] * 4
    assert (read_rows.labels, read_rows.timestamps) == ({}, None)
    assert read_rows.source.name == "adjacency gowalla"
    assert read_rows.source.warnings == ()
    assert [os.path.basename(path) for path in read_rows.source.files] == ["train.txt", "test.txt"]


def test_the_given_split_keeps_the_files_apart(folder):
    parts = splits.split(read(folder), splits.Settings(name="given", validation=0))

    assert raw(parts.train) == TRAIN_PAIRS
    assert raw(parts.test) == TEST_PAIRS
    # User 4 and the items 5 and 90 are in no row to learn from.
    assert (parts.train.num_users, parts.train.num_items) == (2, 3)
    assert parts.counts()["test"] == {"rows": 4, "unknown_users": 1, "unknown_items": 2}


@pytest.mark.parametrize(
    "text",
    [
        TRAIN.replace("\n", "\r\n"),
        "\ufeff" + TRAIN,
        TRAIN.replace(" ", "  ").replace("\n", " \n"),
        TRAIN.replace(" ", "\t"),
        TRAIN.rstrip("\n"),
        "\n" + TRAIN.replace("\n", "\n  \n\n"),
    ],
    ids=["CRLF", "BOM", "blanks", "tabs", "no last end", "blank lines"],
)
def test_blanks_and_ends_of_lines_make_no_difference(folder, text):
    (folder / "train.txt").write_text(text, encoding="utf-8", newline="")

    assert raw(read(folder)) == TRAIN_PAIRS + TEST_PAIRS


def test_a_user_with_two_lines_has_the_items_of_both_and_that_is_said(folder):
    (folder / "train.txt").write_text("2 7\n0 30\n2 12 5\n")

    read_rows = read(folder)

    assert raw(read_rows)[:4] == [(2, 7), (0, 30), (2, 12), (2, 5)]
    assert read_rows.source.warnings == (
        "train.txt: 1 users have more than one line, such as user 2: their lines were taken "
        "together.",
    )


def test_a_pair_that_stands_twice_counts_once_and_that_is_said(folder):
    (folder / "test.txt").write_text("0 5 13 5 5\n2 5\n")

    read_rows = read(folder)

    assert raw(read_rows)[4:] == [(0, 5), (0, 13), (2, 5)]
    assert read_rows.source.warnings == (
        "test.txt: 2 of 5 pairs repeat one in the same file, such as user 0 with item 5: each "
        "counts once.",
    )


def test_a_test_pair_that_train_holds_too_is_said(folder):
    (folder / "test.txt").write_text("0 5 12 7\n2 30\n")

    assert read(folder).source.warnings == (
        "test.txt: 2 of 4 test pairs stand in train too, such as user 0 with item 12: models are "
        "told what they are to find.",
    )


def test_the_first_rows_are_of_both_files(folder):
    assert raw(read(folder, max_rows=4)) == TRAIN_PAIRS[:2] + TEST_PAIRS[:2]
    assert raw(read(folder, max_rows=1)) == TRAIN_PAIRS[:1] + TEST_PAIRS[:1]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"5 x", "line 4: item is 'x', expected a whole number from 0 up"),
        (b"alice 5", "line 4: user is 'alice', expected a whole number"),
        (b"5 -3 7", "line 4: item is '-3', expected a whole number from 0 up"),
        (b"5 3.5", "line 4: item is '3.5', expected"),
        (b"5 3,7", "line 4: item is '3,7', expected"),
        (b"5 1234567890123456", "line 4: item is '1234567890123456', .* at most 15 digits"),
        (b"5 7\x008", r"line 4: item is '7\\x008', expected"),
        (b"\x89PNG\xff 1", r"line 4: user is '.*PNG.*', expected"),
        (b"5 7\r6 8", r"line 4: item is '7\\r6', expected"),
        ("5 ٣".encode(), "line 4: item is '٣', expected"),
        (b"5\xc2\xa07", "line 4: user is '5.*7', expected"),
    ],
)
def test_a_faulty_line_is_named_with_what_was_found_and_the_remedy(folder, line, message):
    with (folder / "train.txt").open("ab") as file:
        file.write(line + b"\n")

    with pytest.raises(DataError, match=rf"train\.txt {message}") as caught:
        read(folder)

    assert str(caught.value).endswith("correct it, or take it out.")


def test_a_fault_after_blank_lines_has_the_number_of_its_line(folder):
    (folder / "test.txt").write_text("0 5\n\n  \n2 y\n")

    with pytest.raises(DataError, match=r"test\.txt line 4: item is 'y'"):
        read(folder)


@pytest.mark.parametrize("text", ["", "\n \n", "0\n1 \n"])
def test_a_file_without_a_pair_is_an_error(folder, text):
    (folder / "test.txt").write_text(text)

    with pytest.raises(DataError, match=r"test\.txt is empty: no user with an item in it"):
        read(folder)


def test_a_missing_file_is_named_with_what_is_there(folder):
    (folder / "test.txt").unlink()

    with pytest.raises(DataError, match=r"no test\.txt\. The folder holds: train\.txt"):
        read(folder)


def test_a_path_is_never_replaced(folder, monkeypatch):
    monkeypatch.setenv("MTR_DATA", str(folder.parent))

    with pytest.raises(DataError, match=r"dataset\.path is .*nowhere: no such folder"):
        read(folder.parent / "nowhere")


def test_without_a_path_the_variant_is_looked_for(folder, elsewhere, monkeypatch):
    with pytest.raises(DataError, match="no folder data/yelp2018: put the train.txt and test.txt"):
        adjacency.read(adjacency.Settings(variant="yelp2018"))

    monkeypatch.setenv("MTR_DATA", str(folder.parent))
    assert len(adjacency.read(adjacency.Settings())) == 8


def test_there_are_no_folds(folder):
    with pytest.raises(ConfigError, match=r"split\.fold is 'u1': adjacency has no folds"):
        adjacency.read(adjacency.Settings(path=str(folder)), "u1")


def test_gowalla_is_as_published(mtr_data):
    if not (mtr_data / "gowalla").is_dir():
        pytest.skip("no gowalla here")

    read_rows = adjacency.read(adjacency.Settings(path=str(mtr_data / "gowalla")))
    parts = splits.split(read_rows, splits.Settings(name="given", validation=0))

    assert (parts.train.num_users, parts.train.num_items) == (29_858, 40_981)
    assert (len(parts.train), len(parts.test)) == (810_128, 217_242)
    assert parts.counts()["test"] == {"rows": 217_242, "unknown_users": 0, "unknown_items": 0}
    assert read_rows.source.warnings == ()
    first = re.match(r"(\d+) (\d+) ", (mtr_data / "gowalla" / "train.txt").read_text())
    assert raw(read_rows.take([0])) == [(int(first[1]), int(first[2]))]
