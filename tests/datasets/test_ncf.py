"""The form of NCF: what is read of its files, and what is wrong with faulty ones."""

import numpy as np
import pytest

from multitask_recommender import splits
from multitask_recommender.datasets import ncf
from multitask_recommender.errors import ConfigError, DataError

# Two users, seven items: 6 is in test alone, 4 and 9 are negatives alone.
TRAIN = "0\t3\t5\t100\n0\t1\t2\t90\n1\t1\t4\t80\n1\t2\t3\t70\n"
TEST = "0\t2\t4\t110\n1\t6\t1\t120\n"
NEGATIVES = "(0,2)\t4\t9\t6\n(1,6)\t9\t3\t4\n"


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "ncf"
    path.mkdir()
    (path / "toy.train.rating").write_text(TRAIN)
    (path / "toy.test.rating").write_text(TEST)
    (path / "toy.test.negative").write_text(NEGATIVES)
    (path / "README").write_text("not a file of ours")
    return path


def read(folder, **settings):
    return ncf.read(ncf.Settings(path=str(folder), **settings))


def raw(rows):
    users, items = rows.users.raw_ids[rows.user_ids - 1], rows.items.raw_ids[rows.item_ids - 1]
    return list(zip(users.tolist(), items.tolist(), strict=True))


def raw_negatives(rows):
    return np.append(-1, rows.items.raw_ids)[rows.given_negatives].tolist()


def given(rows, **settings):
    return splits.split(rows, splits.Settings(name="given", **settings))


def test_rows_of_train_come_before_those_of_test(folder):
    rows = read(folder)

    assert raw(rows) == [(0, 3), (0, 1), (1, 1), (1, 2), (0, 2), (1, 6)]
    assert rows.labels["rating"].tolist() == [5, 2, 4, 3, 4, 1]
    assert rows.timestamps.tolist() == [100, 90, 80, 70, 110, 120]
    assert rows.parts.tolist() == [0, 0, 0, 0, 2, 2]
    assert rows.source.name == "ncf toy"
    assert len(rows.source.files) == 3


def test_every_item_of_any_file_is_in_the_catalogue(folder):
    rows = read(folder)

    assert rows.items.raw_ids.tolist() == [1, 2, 3, 4, 6, 9]
    assert rows.num_items == 6
    assert given(rows).train.num_items == 6


def test_a_test_pair_that_train_holds_too_is_said(folder):
    with (folder / "toy.train.rating").open("a") as file:
        file.write("1\t6\t2\t60\n0\t6\t2\t60\n")

    assert read(folder).source.warnings == (
        "toy.test.rating: 1 of 2 test pairs stand in train too, such as user 1 with item 6: models "
        "are told what they are to find.",
    )


def test_a_time_with_a_fraction_is_rounded_down(folder):
    (folder / "toy.test.rating").write_text("0\t2\t4\t110.9\n1\t6\t1\t-0.5\n")

    assert read(folder).timestamps.tolist() == [100, 90, 80, 70, 110, -1]


def test_a_test_row_that_stands_twice_is_an_error(folder):
    (folder / "toy.test.rating").write_text(TEST + "\n1\t2\t4\t110\n0\t2\t3\t130\n")
    with (folder / "toy.test.negative").open("a") as file:
        file.write("(1,2)\t4\t9\t6\n")

    with pytest.raises(
        DataError,
        match=r"toy\.test\.rating line 5: user 0 with item 2 stands in a line before already\.",
    ):
        read(folder)


def test_test_rows_alone_have_their_negatives(folder):
    parts = given(read(folder), validation_by="user")

    assert raw_negatives(parts.test) == [[4, 9, 6], [9, 3, 4]]
    assert parts.train.negatives is None
    assert parts.validation.negatives is None
    assert parts.train_and_validation.negatives is None
    assert len(parts.validation) == 2


def test_negatives_are_found_by_pair_in_whatever_order_they_stand(folder):
    lines = NEGATIVES.splitlines(keepends=True)
    (folder / "toy.test.negative").write_text(lines[1] + "\n" + lines[0].replace("\t", " "))

    assert raw_negatives(given(read(folder)).test) == [[4, 9, 6], [9, 3, 4]]


def test_a_line_may_have_fewer_negatives_than_others(folder):
    (folder / "toy.test.negative").write_text("(0,2)\t4\t9\t6\n(1,6)\t0\n")

    assert raw_negatives(given(read(folder)).test) == [[4, 9, 6], [0, -1, -1]]


def test_a_tsv_without_times_and_ratings_with_a_fraction(folder):
    (folder / "toy.train.rating").unlink()
    (folder / "toy.train.rebuilt.tsv").write_text("0\t3\t4.5\r\n0\t1\t-1\r\n1\t1\t3.25\r\n")

    rows = read(folder)

    assert raw(rows)[:3] == [(0, 3), (0, 1), (1, 1)]
    assert rows.labels["rating"].tolist() == [4.5, -1, 3.25, 4, 1]
    assert rows.timestamps is None  # train has none


def test_the_first_rows_are_of_both_files_and_keep_their_negatives(folder):
    rows = read(folder, max_rows=3)

    assert raw(rows) == [(0, 3), (0, 1), (0, 2)]
    assert raw_negatives(given(rows, validation=0).test) == [[4, 9, 6]]


def test_of_several_sets_in_a_folder_the_variant_is_read(folder):
    for name in ("train.rating", "test.rating", "test.negative"):
        (folder / f"other.{name}").write_text((folder / f"toy.{name}").read_text())

    assert read(folder, variant="other").source.name == "ncf other"
    with pytest.raises(
        DataError,
        match=r"holds 2 files \*\.train\.rating: other\.train\.rating, toy\.train\.rating\. "
        r"Leave one .* or set dataset\.variant, which is ml-1m",
    ):
        read(folder)


@pytest.mark.parametrize("kind", ["train.rating", "test.rating", "test.negative"])
def test_a_missing_file_is_named_with_what_is_there(folder, kind):
    (folder / f"toy.{kind}").unlink()

    with pytest.raises(DataError, match=rf"no \*\.{kind}\. The folder holds: README, toy\."):
        read(folder)


@pytest.mark.parametrize("kind", ["train.rating", "test.rating", "test.negative"])
def test_an_empty_file_is_an_error(folder, kind):
    (folder / f"toy.{kind}").write_text("\n")

    with pytest.raises(DataError, match=f"toy.{kind} is empty"):
        read(folder)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1\t2", r"2 columns, expected 4 \(user, item, rating, timestamp\) .*'1\\t2'"),
        ("1\t2\t3", "3 columns, expected 4"),
        ("1::2::3::4", "1 columns, expected 4"),
        ("x\t2\t3\t4", "user is 'x', expected a whole number"),
        ("1\t-2\t3\t4", "item is '-2', expected a whole number from 0 up"),
        ("1\t2.5\t3\t4", "item is '2.5', expected a whole number"),
        ("1\t2\tgood\t4", "rating is 'good', expected a number"),
        ("1\t2\tnan\t4", "rating is 'nan', expected a number"),
        ("1\t2\t1e400\t4", "rating is '1e400', expected a number"),
        ("1\t2\t3\tnoon", "timestamp is 'noon', expected a number"),
        ("1\t99999999999999999999\t3\t4", "item is '9+', .* at most 15 digits"),
        ("1\t2\t1.2.3\t4", "rating is '1.2.3', expected a number"),
        ("1\t2\t3\t4\x00", r"timestamp is '4\\x00', expected a number"),
    ],
)
def test_a_faulty_rating_is_named_with_what_was_found_and_the_remedy(folder, line, message):
    with (folder / "toy.train.rating").open("a") as file:
        file.write(f"\n{line}\n")

    with pytest.raises(DataError, match=rf"toy\.train\.rating line 6: {message}") as caught:
        read(folder)

    assert str(caught.value).endswith("Correct the line, or take it out.")


def test_a_header_is_named_as_what_it_is_not(folder):
    (folder / "toy.train.rating").write_text("user\titem\trating\ttime\n" + TRAIN)

    with pytest.raises(DataError, match="line 1: user is 'user', expected a whole number"):
        read(folder)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0,2\t4\t9", "line 3: the pair is '0,2', expected such as '(0,25)'"),
        ("(0,x)\t4\t9", "line 3: the pair is '(0,x)'"),
        ("(0,-2)\t4\t9", "line 3: the pair is '(0,-2)'"),
        ("(0,2)", "line 3: no negatives of (0,2)"),
        ("(0,2)\t4\tnine", "line 3: negative is 'nine', expected a whole number"),
        ("(0,2)\t4\t3,9", "line 3: negative is '3,9', expected a whole number"),
        ("(0,2)\t4\t9\n", "toy.test.negative has two lines for (0,2): leave one."),
        ("(7,2)\t4\t9", "has a line for (7,2), no row of toy.test.rating: use files of one set."),
        (
            "(8,2)\t4\t9\n(7,2)\t4\t9",
            "a line for (7,2), no row of toy.test.rating (the first of 2): use files",
        ),
    ],
)
def test_a_faulty_line_of_negatives_is_named(folder, line, message):
    with (folder / "toy.test.negative").open("a") as file:
        file.write(line)

    with pytest.raises(DataError) as caught:
        read(folder)

    assert message in str(caught.value)


def test_a_test_row_without_negatives_is_an_error(folder):
    (folder / "toy.test.negative").write_text("(0,2)\t4\t9\t6\n")

    with pytest.raises(DataError, match=r"has no line for \(1,6\), a row of toy\.test\.rating"):
        read(folder)


def test_a_path_is_never_replaced(folder, monkeypatch):
    monkeypatch.setenv("MTR_DATA", str(folder.parent))

    with pytest.raises(DataError, match=r"dataset\.path is .*nowhere: no such folder"):
        read(folder.parent / "nowhere")


def test_without_a_path_the_variant_is_looked_for(folder, elsewhere, monkeypatch):
    with pytest.raises(DataError, match=r"no folder data/ml-1m/ncf: put the three files ml-1m\.\*"):
        ncf.read(ncf.Settings())

    (elsewhere / "data" / "pinterest-20").mkdir(parents=True)
    folder.rename(elsewhere / "data" / "pinterest-20" / "ncf")
    assert len(ncf.read(ncf.Settings(variant="pinterest-20"))) == 6


def test_there_are_no_folds(folder):
    with pytest.raises(ConfigError, match=r"split\.fold is 'u1': ncf has no folds"):
        ncf.read(ncf.Settings(path=str(folder)), "u1")


def test_ml_1m_is_as_published(mtr_data):
    folder = mtr_data / "ml-1m" / "ncf"
    if not folder.is_dir():
        pytest.skip("no NCF files of ml-1m here")

    parts = given(ncf.read(ncf.Settings(path=str(folder))), validation_by="user")

    assert (parts.train.num_users, parts.train.num_items) == (6_040, 3_706)
    assert (len(parts.train_and_validation), len(parts.test)) == (994_169, 6_040)
    negatives = parts.test.given_negatives
    assert negatives.shape == (6_040, 99)
    assert (negatives > 0).all()
    assert (negatives == parts.test.item_ids[:, None]).sum() == 156
    assert parts.test.source.warnings == ()
    assert sorted(parts.validation.user_ids) == list(range(1, 6_041))
    learnt = np.unique(parts.train_and_validation.item_ids)
    assert np.setdiff1d(parts.test.item_ids, learnt).size == 2
    assert (~np.isin(negatives, learnt)).sum() == 340
