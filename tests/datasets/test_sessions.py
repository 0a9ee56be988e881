"""Lists of items in order, by session: what is read of them, and what is wrong with faulty ones."""

import os

import numpy as np
import pytest

from multitask_recommender import splits
from multitask_recommender.datasets import sessions
from multitask_recommender.errors import ConfigError, DataError
from multitask_recommender.evaluation.fold_in import Histories

# Ids have gaps, 0 is one of them; 90 and 91 are in test alone. The fourth line is of one item.
TRAIN = "7 0 30\n0 0\n30 7 7 500\n12\n12 0\n"
TEST = "0 30\t7\n90\t0\n7 91 12\t90\n"


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "diginetica"
    path.mkdir()
    (path / "train_sessions.txt").write_text(TRAIN)
    (path / "test_prefix_target.tsv").write_text(TEST)
    return path


def read(folder, **settings):
    return sessions.read(sessions.Settings(path=str(folder), **settings))


def raw(rows):
    users, items = rows.users.raw_ids[rows.user_ids - 1], rows.items.raw_ids[rows.item_ids - 1]
    return list(zip(users.tolist(), items.tolist(), strict=True))


def by_user(rows):
    found = {}
    for user, item in raw(rows):
        found.setdefault(user, []).append(item)
    return found


TRAINED = {
    "train:1": [7, 0, 30],
    "train:2": [0, 0],
    "train:3": [30, 7, 7, 500],
    "train:5": [12, 0],
}
TESTED = {"test:1": [0, 30, 7], "test:2": [90, 0], "test:3": [7, 91, 12, 90]}


def test_every_line_is_a_user_in_the_order_of_its_items(folder):
    rows = read(folder)

    assert by_user(rows) == TRAINED | TESTED
    assert rows.timestamps.tolist() == [0, 1, 2, 0, 1, 0, 1, 2, 3, 0, 1, 0, 1, 2, 0, 1, 0, 1, 2, 3]
    assert rows.ordered_by_user and rows.labels == {}
    assert rows.parts.tolist() == [0] * 11 + [3, 3, 2, 3, 2, 3, 3, 3, 2]
    assert rows.source.name == "sessions diginetica"
    assert [os.path.basename(path) for path in rows.source.files] == list(sessions.FILES)


def test_the_given_split_tells_of_prefixes_and_tests_targets(folder):
    parts = splits.split(read(folder), splits.Settings(name="given", validation=0))

    assert by_user(parts.train) == TRAINED
    assert raw(parts.test) == [("test:1", 7), ("test:2", 0), ("test:3", 90)]
    assert by_user(parts.fold_in) == {"test:1": [0, 30], "test:2": [90], "test:3": [7, 91, 12]}
    assert (parts.train.num_users, parts.train.num_items) == (4, 5)
    assert parts.counts()["test"] == {"rows": 3, "unknown_users": 3, "unknown_items": 1}
    told = Histories(parts.fold_in).of(parts.test.user_ids)["history"]
    known = np.append([-1], parts.train.items.raw_ids)[told]
    assert known.tolist() == [[0, 30], [-1, -1], [7, 12]]


def test_validation_holds_out_the_latest_sessions(folder):
    settings = splits.Settings(name="given", validation=0.5, validation_by="session")

    parts = splits.split(read(folder), settings)

    assert list(by_user(parts.train)) == ["train:1", "train:2"]
    assert raw(parts.validation) == [("train:3", 500), ("train:5", 0)]
    assert by_user(parts.fold_in)["train:3"] == [30, 7, 7]
    assert list(by_user(parts.fold_in)) == ["train:3", "train:5", "test:1", "test:2", "test:3"]
    assert sorted(raw(parts.train_and_validation)) == sorted(
        (user, item) for user, items in TRAINED.items() for item in items
    )


def test_sessions_that_are_too_short_are_left_out_and_that_is_said(folder):
    assert read(folder).source.warnings == (
        "train_sessions.txt: 1 of 5 sessions have fewer than 2 items, such as line 4: they were "
        "left out.",
    )
    assert read(folder, min_length=1).source.warnings == ()
    assert by_user(read(folder, min_length=1)) == TRAINED | {"train:4": [12]} | TESTED
    longer = read(folder, min_length=3)
    assert by_user(longer) == {n: TRAINED[n] for n in ("train:1", "train:3")} | TESTED
    assert "3 of 5 sessions have fewer than 3 items, such as line 2" in longer.source.warnings[0]


def test_rare_items_are_taken_out_of_train_before_lengths_count(folder):
    """0 is met four times, 7 three times, 30 and 12 twice, 500 once."""
    rows = read(folder, min_item_count=3)

    expected = {"train:1": [7, 0], "train:2": [0, 0], "train:3": [7, 7]}
    assert by_user(rows) == expected | TESTED
    assert rows.source.warnings == (
        "train_sessions.txt: 2 of 5 sessions have fewer than 2 items met 3 times or more, such as "
        "line 4: they were left out.",
    )


def test_whole_sessions_are_tested_by_their_last_item(folder):
    (folder / "test_prefix_target.tsv").write_text("0 30 7\n90 0\n")

    parts = splits.split(read(folder), splits.Settings(name="given", validation=0))

    assert raw(parts.test) == [("test:1", 7), ("test:2", 0)]
    assert raw(parts.fold_in) == [("test:1", 0), ("test:1", 30), ("test:2", 90)]


@pytest.mark.parametrize("line", ["12", "\t12", " \t 12 "])
def test_a_target_alone_is_tested_without_a_history_and_that_is_said(folder, line):
    (folder / "test_prefix_target.tsv").write_text(f"0 30\t7\n{line}\n")

    rows = read(folder)
    parts = splits.split(rows, splits.Settings(name="given", validation=0))

    assert raw(parts.test) == [("test:1", 7), ("test:2", 12)]
    assert Histories(parts.fold_in).of(parts.test.user_ids)["history"][1].tolist() == [0, 0]
    assert rows.source.warnings[1] == (
        "test_prefix_target.tsv: 1 of 2 lines have one item alone, such as line 2: it is to be "
        "found without a history."
    )


def test_of_a_prefix_of_a_thousand_the_latest_two_hundred_are_told(folder):
    prefix = [(7, 0, 30, 12)[n % 4] for n in range(999)]
    (folder / "test_prefix_target.tsv").write_text(" ".join(map(str, prefix)) + "\t500\n")

    parts = splits.split(read(folder), splits.Settings(name="given", validation=0))

    (told,) = Histories(parts.fold_in).of(parts.test.user_ids)["history"]
    assert parts.train.items.raw_ids[told - 1].tolist() == prefix[-200:]
    assert len(parts.fold_in) == 999


@pytest.mark.parametrize(
    ("train", "test"),
    [
        (TRAIN.replace("\n", "\r\n"), TEST.replace("\n", "\r\n")),
        ("\ufeff" + TRAIN, "\ufeff" + TEST),
        (TRAIN.replace(" ", "  ").replace("\n", " \n"), TEST.replace("\t", " \t ")),
        (TRAIN.rstrip("\n"), TEST.rstrip("\n")),
    ],
    ids=["CRLF", "BOM", "blanks", "no last end"],
)
def test_blanks_and_ends_of_lines_make_no_difference(folder, train, test):
    (folder / "train_sessions.txt").write_text(train, encoding="utf-8", newline="")
    (folder / "test_prefix_target.tsv").write_text(test, encoding="utf-8", newline="")

    assert by_user(read(folder)) == TRAINED | TESTED


def test_empty_lines_are_passed_over_and_counted(folder):
    (folder / "train_sessions.txt").write_text("\n" + TRAIN.replace("\n", "\n \n\n"))

    assert list(by_user(read(folder)))[:4] == ["train:2", "train:5", "train:8", "train:14"]


def test_the_first_rows_are_whole_lines_of_both_files(folder):
    assert by_user(read(folder, max_rows=12)) == {
        **{name: TRAINED[name] for name in ("train:1", "train:2")},  # 5 of at most 6 rows
        **{name: TESTED[name] for name in ("test:1", "test:2")},  # 5 of at most 5
    }
    assert by_user(read(folder, max_rows=1)) == {"train:1": [7, 0, 30], "test:1": [0, 30, 7]}
    assert by_user(read(folder, max_rows=1_000)) == TRAINED | TESTED


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("train_sessions.txt", "5 x", "line 6: item is 'x', expected a whole number from 0 up"),
        ("train_sessions.txt", "-3 7", "line 6: item is '-3', expected a whole number"),
        ("train_sessions.txt", "5,7", "line 6: item is '5,7', expected"),
        ("test_prefix_target.tsv", "5 x\t7", "line 4: item is 'x', .* A line is the items of a"),
        ("test_prefix_target.tsv", "5 7\t", "line 4: '' after the TAB, expected one item: the"),
        ("test_prefix_target.tsv", "5\t7 8", "line 4: '7 8' after the TAB, expected one item"),
        ("test_prefix_target.tsv", "5\t7\t8", "line 4: 2 TABs, expected one at the most"),
    ],
)
def test_a_faulty_line_is_named(folder, name, line, message):
    with (folder / name).open("a") as file:
        file.write(f"{line}\n1 2\n")

    with pytest.raises(DataError, match=f"{name} {message}"):
        read(folder)


@pytest.mark.parametrize("name", sessions.FILES)
def test_a_file_without_sessions_is_refused(folder, name):
    (folder / name).write_text(" \n\n")

    with pytest.raises(DataError, match=f"{name} is empty: no session in it"):
        read(folder)


def test_where_no_session_is_long_enough_the_longest_is_said(folder):
    with pytest.raises(DataError, match="no session has 5 items, the longest has 4: lower"):
        read(folder, min_length=5)
    with pytest.raises(DataError, match="no session has 2 items met 5 times or more, the longest"):
        read(folder, min_item_count=5)


def test_a_missing_file_or_folder_is_named(folder, elsewhere):
    (folder / "test_prefix_target.tsv").unlink()

    with pytest.raises(DataError, match="no test_prefix_target.tsv. The folder holds: train_"):
        read(folder)
    with pytest.raises(DataError, match="no folder data/diginetica: put train_sessions.txt and"):
        sessions.read(sessions.Settings())


def test_there_are_no_folds(folder):
    with pytest.raises(ConfigError, match="split.fold is 'u1': sessions has no folds"):
        sessions.read(sessions.Settings(path=str(folder)), "u1")


def test_diginetica_is_read_as_it_is(mtr_data):
    rows = sessions.read(sessions.Settings(path=str(mtr_data / "diginetica")))

    parts = splits.split(
        rows, splits.Settings(name="given", validation=0.1, validation_by="session")
    )

    assert rows.source.warnings == ()
    assert parts.train.num_items == 43_097
    assert len(parts.test) == 60_858
    assert len(parts.validation) == 18_667
    assert len(parts.train_and_validation) == 906_140
    assert parts.counts()["test"]["unknown_items"] == 0
