"""Whatever a file holds, a reader answers with interactions or a DataError: never a traceback.

What this finds is kept as a test by name in the readers' own tests.
"""

import contextlib

import hypothesis
import numpy as np
import polars as pl
from hypothesis import strategies as st

from multitask_recommender.datasets import _columns, movielens, table
from multitask_recommender.errors import ConfigError, DataError
from multitask_recommender.interactions import Interactions
from tests.fuzzing import BOUNDED

CELLS = st.one_of(
    st.sampled_from(
        ["", "0", "1", "4.5", "ann", "i7", "true", "-1", "1e99", "nan", "a|b", '"', "é"]
    ),
    st.integers(-(2**70), 2**70).map(str),
    st.text(max_size=4),
)
TABLE_COLUMNS = table.Columns(
    user="user",
    item="item",
    timestamp="time",
    labels={"click": "click", "rating": "stars"},
    context=["country"],
)


def texts(separator, width):
    """Lines of mostly as many cells as there are columns; or any bytes."""
    lines = st.lists(st.lists(CELLS, min_size=width - 1, max_size=width + 1), max_size=5)
    joined = lines.map(lambda rows: "\n".join(separator.join(cells) for cells in rows))
    return joined.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=40)


@BOUNDED
@hypothesis.given(texts(",", 6), st.booleans())
def test_a_table(tmp_path, text, has_header):
    path = tmp_path / "log.csv"
    path.write_bytes(b"user,item,time,click,stars,country\n" * has_header + text)

    with contextlib.suppress(DataError, ConfigError):
        settings = table.Settings(path=str(path), columns=TABLE_COLUMNS)
        assert isinstance(table.read(settings), Interactions)


@BOUNDED
@hypothesis.given(texts("\t", 4))
def test_movielens(tmp_path, ml_100k, text):
    (ml_100k / "u.data").write_bytes(text)

    with contextlib.suppress(DataError):
        settings = movielens.Settings(variant="100k", path=str(ml_100k))
        assert isinstance(movielens.read(settings), Interactions)


WORDS = st.text(min_size=1, max_size=3)


@BOUNDED
@hypothesis.given(
    st.lists(WORDS, max_size=8, unique=True), st.lists(WORDS, min_size=1, max_size=12)
)
def test_dense_ids_go_back_to_raw_ones_with_the_catalogue_first(catalogue, events):
    dense, raw = _columns.dense_ids(
        pl.Series(events, dtype=pl.String), pl.Series(catalogue, dtype=pl.String)
    )

    assert [raw[int(each) - 1] for each in dense] == events
    assert raw[: len(catalogue)].to_list() == catalogue
    assert sorted(raw) == sorted({*catalogue, *events})


@BOUNDED
@hypothesis.given(st.lists(st.none() | st.just("") | WORDS, min_size=1, max_size=10))
def test_codes_go_back_to_words(words):
    feature = _columns.feature_of_rows(pl.Series(words, dtype=pl.String))

    found = [feature.vocabulary[code - 1] if code else None for code in feature.values]
    assert found == [word or None for word in words]


@BOUNDED
@hypothesis.given(st.lists(st.lists(WORDS, max_size=4), min_size=1, max_size=6))
def test_codes_of_several_words_go_back_to_them_each_once(lists):
    feature = _columns.feature_of_rows(pl.Series(lists, dtype=pl.List(pl.String)))

    found = [[feature.vocabulary[code - 1] for code in line if code] for line in feature.values]
    assert found == [list(dict.fromkeys(line)) for line in lists]
    assert np.all(np.diff((feature.values > 0).astype(int), axis=1) <= 0)  # padded at the end
