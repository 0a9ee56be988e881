"""Raw ids and dense ids in numpy."""

import hypothesis
import numpy as np
from hypothesis import strategies as st

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


WORDS = st.lists(st.text(min_size=1, max_size=4), max_size=8, unique=True)
NUMBERS = st.lists(st.integers(0, 2**63 - 1), max_size=8, unique=True)


@hypothesis.settings(max_examples=40, deadline=None, derandomize=True)
@hypothesis.given(
    WORDS.map(lambda ids: np.array(ids, str)) | NUMBERS.map(lambda ids: np.array(ids, np.int64))
)
def test_any_vocabulary_goes_there_and_back(raw):
    hypothesis.assume(not any(word.endswith("\0") for word in raw.astype(str)))
    ids = RawIds(raw)

    dense = np.arange(len(raw) + 1)
    np.testing.assert_array_equal(ids.dense(ids.raw(dense)), dense)
    assert ids.raw(dense)[1:].tolist() == raw.tolist()
