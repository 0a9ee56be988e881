"""Files of items, as people write them."""

import pathlib
import re

import numpy as np
import polars as pl
import pytest

from multitask_recommender.errors import DataError
from multitask_recommender.export import items_file
from multitask_recommender.export.frozen import ItemFeatureFacts

FEATURES = {
    "genres": ItemFeatureFacts(vocabulary=["art", "bio", "war"], has_several=True),
    "maker": ItemFeatureFacts(vocabulary=["A", "B"]),
    "price": ItemFeatureFacts(vocabulary=None),
}


def read(text: str, folder: pathlib.Path, are_numbers: bool = True, name: str = "items.csv"):
    path = folder / name
    path.write_text(text)
    return items_file.read(path, are_numbers, FEATURES)


def test_features_become_what_the_model_reads(tmp_path):
    listed = read(
        "item,price,genres,maker,remove\n7,2.5,war|art|new|war,B,\n9,,,C,false\n8,1,,,TRUE\n",
        tmp_path,
    )

    assert listed.raw_ids.tolist() == [7, 9, 8] and listed.raw_ids.dtype == np.int64
    assert listed.removed.tolist() == [False, False, True]
    assert listed.features["genres"].tolist() == [[3, 1], [0, 0], [0, 0]]
    assert listed.features["maker"].tolist() == [2, 0, 0]
    np.testing.assert_array_equal(listed.features["price"], np.float32([2.5, np.nan, 1]))
    assert listed.not_learnt == {"genres": 1, "maker": 1}


def test_what_is_told_of_removed_items_is_not_counted(tmp_path):
    assert read("item,maker,remove\n7,C,1\n", tmp_path).not_learnt == {}


def test_ids_of_text_stay_what_they_are(tmp_path):
    tabs = read("item\tremove\n007\t0\na b\t1\n", tmp_path, are_numbers=False, name="items.tsv")
    pl.DataFrame({"item": [7, 8], "genres": [["bio"], None]}).write_parquet(tmp_path / "i.parquet")

    typed = items_file.read(tmp_path / "i.parquet", False, FEATURES)

    assert tabs.raw_ids.tolist() == ["007", "a b"] and tabs.removed.tolist() == [False, True]
    assert typed.raw_ids.tolist() == ["7", "8"] and not typed.removed.any()
    assert typed.features["genres"].tolist() == [[2], [0]]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("id,remove\n7,1\n", "--items is 'item', but .* has no such column"),
        ("item,genre\n7,war\n", "genre is no feature of items that this model reads .*'genres'"),
        ("", "items.csv is empty"),
        ("item\n", "items.csv is empty: it has columns, but no rows"),
        ("item\n7\n8\n7\n", r"items.csv line 4: item '7' is in more than one row"),
        ("item,remove\n7,\n,1\n", "line 3: item None is empty, every row needs its item"),
        ("item\n7\n007\n", "line 3: item '007' is no whole number, as the items of this export"),
        ("item\nseven\n", "line 2: item 'seven' is no whole number"),
        ("item\n-7\n", "line 2: item '-7' is negative"),
        ("item,remove\n7,no\n", "line 2: remove 'no' is none of true, false, 1 and 0"),
        ("item,price\n7,dear\n", "line 2: price 'dear' is no number"),
        ("item,price\n7,inf\n", "line 2: price 'inf' is infinite"),
    ],
)
def test_what_cannot_be_used_is_said_with_its_place(text, sentence, tmp_path):
    with pytest.raises(DataError, match=sentence):
        read(text, tmp_path)


def test_lists_for_a_single_value_and_files_that_are_not_there(tmp_path):
    path = tmp_path / "i.parquet"
    pl.DataFrame({"item": [7], "maker": [["A"]]}).write_parquet(path)

    with pytest.raises(DataError, match="maker holds lists, and the model reads one value"):
        items_file.read(path, True, FEATURES)
    with pytest.raises(DataError, match=re.escape("--items is") + ".*no such file or folder"):
        items_file.read(tmp_path / "nothing.csv", True, FEATURES)
