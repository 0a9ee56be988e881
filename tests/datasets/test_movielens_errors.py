"""MovieLens files that are missing or faulty: the message names file, line and value."""

import pytest

from multitask_recommender.datasets import movielens
from multitask_recommender.errors import DataError


def read(folder, variant="100k"):
    return movielens.read(movielens.Settings(path=str(folder), variant=variant))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("196\t242", r"u.data line 8: 2 columns, expected 4 .*'196\\t242'"),
        ("196\t242\t3\t881250949\t1", "u.data line 8: 5 columns, expected 4"),
        ("196\t242\tfour\t1", "u.data line 8: rating is 'four', expected stars: 1, 2, 3, 4, 5"),
        ("196\t242\tnan\t1", "u.data line 8: rating is 'nan', expected stars"),
        ("196\t242\t6\t1", "u.data line 8: rating is '6', expected stars"),
        ("196\t242\t3.5\t1", "u.data line 8: rating is '3.5', expected stars"),
        ("196\t242\t\t1", "u.data line 8: rating is '', expected stars"),
        ("x96\t242\t3\t1", "u.data line 8: user is 'x96', expected a whole number"),
        ("99999999999999999999\t1\t3\t1", "u.data line 8: user is '99999999999999999999'"),
        ("196\t242\t3\tnoon", "u.data line 8: seconds is 'noon'"),
        ("196\t24\ufffd\t3\t1", "u.data line 8: item is"),
    ],
)
def test_a_faulty_line_is_named_with_what_was_found(ml_100k, line, message):
    with (ml_100k / "u.data").open("a") as file:
        file.write(line + "\n")

    with pytest.raises(DataError, match=message):
        read(ml_100k)


@pytest.mark.parametrize(
    ("variant", "line", "message"),
    [
        ("1m", "1::10", "ratings.dat line 8: 2 columns, expected 4"),
        ("1m", "1:10:3:4::", "ratings.dat line 8: 2 columns, expected 4"),
        ("1m", "1::10::3.5::4", "ratings.dat line 8: rating is '3.5', expected stars: 1, 2"),
        ("10m", "1::10::3.7::4", "ratings.dat line 8: rating is '3.7', expected stars: 0.5, 1"),
        ("20m", "1,10,0,4", "ratings.csv line 9: rating is '0', expected stars: 0.5"),
        ("20m", "1,10", "ratings.csv line 9: 2 columns, expected 4"),
    ],
)
def test_a_faulty_line_of_any_form_is_named(ml_1m, ml_csv, variant, line, message):
    folder, name = (ml_csv, "ratings.csv") if variant == "20m" else (ml_1m, "ratings.dat")
    with (folder / name).open("a") as file:
        file.write(line + "\n")

    with pytest.raises(DataError, match=message):
        read(folder, variant)


def test_blank_lines_do_not_shift_the_line_that_is_named(ml_100k):
    (ml_100k / "u.data").write_text("1\t10\t3\t4\n\n\n1\t10\tx\t4\n")

    with pytest.raises(DataError, match="line 4: rating is 'x'"):
        read(ml_100k)


@pytest.mark.parametrize("text", ["", "\n"])
def test_an_empty_file_of_ratings_is_an_error(ml_100k, ml_csv, text):
    (ml_100k / "u.data").write_text(text)
    (ml_csv / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + text)

    with pytest.raises(DataError, match="u.data is empty"):
        read(ml_100k)
    with pytest.raises(DataError, match="ratings.csv is empty"):
        read(ml_csv, "20m")


def test_another_header_is_an_error(ml_csv):
    (ml_csv / "ratings.csv").write_text("user,item,stars\n1,2,3\n")

    with pytest.raises(DataError, match="ratings.csv line 1: the header is 'user,item,stars'"):
        read(ml_csv, "25m")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("u.item", "1|Toy Story\n", "u.item line 1: 2 columns, expected 24"),
        ("u.item", "", "u.item is empty"),
        ("u.user", "1|20|F|writer|1\n1|30|M|writer|1\n", "u.user line 2: id 1 again.* line 1"),
        ("u.user", "one|20|F|writer|1\n", "u.user line 1: id is 'one', expected a whole number"),
        ("u.user", "1|old|F|writer|1\n", "u.user line 1: age is 'old'"),
    ],
)
def test_faults_of_the_catalogue_are_named(ml_100k, name, text, message):
    (ml_100k / name).write_text(text)

    with pytest.raises(DataError, match=message):
        read(ml_100k)


def test_a_quote_that_is_never_closed_is_an_error(ml_csv):
    with (ml_csv / "movies.csv").open("a") as file:
        file.write('60,"Open,War\n' + "61,Other,War\n" * 20_000)

    with pytest.raises(DataError, match=r"movies.csv line \d+: field larger than field limit"):
        read(ml_csv, "32m")


def test_a_missing_folder_is_an_error_that_nothing_replaces(elsewhere):
    with pytest.raises(DataError, match="dataset.path is nowhere: no such folder"):
        read("nowhere")


def test_a_missing_file_is_named_with_what_is_there(ml_100k):
    (ml_100k / "u.data").unlink()

    with pytest.raises(DataError, match=r"no u\.data\. The folder holds: u\.item, u\.user, u1\.b"):
        read(ml_100k)


def test_a_file_in_place_of_the_folder_is_said_to_be_one(ml_100k):
    with pytest.raises(DataError, match="u.data: a file, not the folder"):
        read(ml_100k / "u.data")
