"""From polars columns to dense ids and features. Imports polars: import it inside functions."""

import numpy as np
import polars as pl

from multitask_recommender.interactions import Feature

PART = "__part__"  # the column of given parts, an index into schema.PARTS


def dense_ids(ids: pl.Series, catalogue: pl.Series) -> tuple[np.ndarray, pl.Series]:
    """Numbers raw ids from 1: the catalogue's rows first, then the others as they appear.

    Returns the dense ids, int32 [N], and the raw ids, [R].
    """
    raw = pl.concat([catalogue, ids]).unique(maintain_order=True)
    numbers = pl.DataFrame({"raw": raw, "id": np.arange(1, len(raw) + 1, dtype=np.int32)})
    dense = pl.DataFrame({"raw": ids}).join(numbers, on="raw", how="left", maintain_order="left")
    return dense["id"].to_numpy(), raw


def raw_array(raw: pl.Series) -> np.ndarray:
    """Raw ids [R] as int64 or str."""
    return raw.to_numpy() if raw.dtype == pl.Int64 else np.array(raw.to_list(), dtype=str)


def feature(values: pl.Series, num_ids: int) -> Feature:
    """The Feature of a table's column: row r is id r + 1, ids after its end have no value."""
    unknown, others = values.clear(1), values.clear(num_ids - len(values))  # nulls
    return feature_of_rows(pl.concat([unknown, values, others]))


def feature_of_rows(values: pl.Series, learnt: np.ndarray | None = None) -> Feature:
    """The Feature of a column, row by row; the rows `learnt`, by default all, make the vocabulary.

    Lists are multi-valued, floats numeric, all else is categorical.
    """
    if values.dtype.is_float():
        return Feature(values.cast(pl.Float32).fill_null(np.nan).to_numpy())
    is_list = values.dtype == pl.List
    values = values.cast(pl.List(pl.String) if is_list else pl.String)
    words = values if learnt is None else values.gather(learnt)
    vocabulary = _vocabulary(words.explode(empty_as_null=True) if is_list else words)
    codes = _multi_valued(values, vocabulary) if is_list else _codes(values, vocabulary)
    return Feature(codes, tuple(vocabulary.to_list()))


def _multi_valued(values: pl.Series, vocabulary: pl.Series) -> np.ndarray:
    """Codes [n, M] of lists, each value once, padded with 0."""
    pairs = (
        pl.DataFrame({"row": np.arange(len(values)), "value": values})
        .explode("value", empty_as_null=True)
        .filter(pl.col("value").is_in(vocabulary.implode()))
        .unique(maintain_order=True)
        .with_columns(place=pl.int_range(pl.len()).over("row"))
    )
    width = 1 if pairs.is_empty() else pairs["place"].max() + 1
    table = np.zeros((len(values), width), np.int32)  # [n, M]
    codes = _codes(pairs["value"], vocabulary)
    table[pairs["row"].to_numpy(), pairs["place"].to_numpy()] = codes
    return table


def _vocabulary(words: pl.Series) -> pl.Series:
    """The distinct words, sorted."""
    return words.filter(words != "").drop_nulls().unique().sort()


def _codes(words: pl.Series, vocabulary: pl.Series) -> np.ndarray:
    """Codes from 1 in the vocabulary; what is missing, empty or not in it is 0."""
    codes = words.cast(pl.Enum(vocabulary), strict=False).to_physical().cast(pl.Int32) + 1
    return codes.fill_null(0).to_numpy()


def first_rows(frame: pl.DataFrame, max_rows: int | None) -> pl.DataFrame:
    """The first rows of a log. With given parts (column PART), of each part in proportion.

    Taken from the top alone, a log whose parts follow one another would lose its test part.
    """
    if max_rows is None or max_rows >= len(frame):
        return frame
    if PART not in frame.columns:
        return frame.head(max_rows)
    share = (pl.len() * max_rows // len(frame)).clip(lower_bound=1)
    return frame.filter((pl.int_range(pl.len()) < share).over(PART))
