"""Raw ids and dense ids in numpy."""

import numpy as np

from multitask_recommender.export.raw_ids import RawIds


def test_words_both_ways_also_as_bytes():
    ids = RawIds(np.array(["zoe", "ü", "ann"]))

    assert ids.raw([[3, 0], [1, 2]]).tolist() == [["ann", ""], ["zoe", "ü"]]
    asked = np.array([["ü".encode(), b"nobody"], [b"", b"zzz"]], object)
    assert ids.dense(asked).tolist() == [[2, 0], [0, 0]]
    assert ids.dense(["ann", "zoe"]).tolist() == [3, 1]
    assert (ids.number, ids.nobody) == (3, "")


def test_numbers_both_ways():
    ids = RawIds(np.array([7, 2**40, 0]))

    assert ids.raw(np.array([2, 0, 3])).tolist() == [2**40, -1, 0]
    assert ids.dense([0, 8, 2**40, -1, 2**41]).tolist() == [3, 0, 2, 0, 0]
    assert ids.dense([]).shape == (0,)


def test_nothing_is_known_of_an_empty_vocabulary():
    assert RawIds(np.array([], np.int64)).dense([5, -1]).tolist() == [0, 0]
