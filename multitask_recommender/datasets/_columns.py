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


def feature(values: pl.Series, num_rows: int) -> Feature:
    """The Feature of a column: row r is id r + 1, ids after its end have no value.

    Lists are multi-valued, floats numeric, all else is categorical.
    """
    values = values.extend_constant(None, num_rows - len(values))
    if values.dtype == pl.List:
        return _multi_valued(values.cast(pl.List(pl.String)))
    if values.dtype.is_float():
        return _numeric(values)
    return _categorical(values.cast(pl.String))


def _numeric(values: pl.Series) -> Feature:
    numbers = values.cast(pl.Float32).fill_null(np.nan)
    return Feature(np.concatenate([[np.nan], numbers.to_numpy()]).astype(np.float32))


def _categorical(values: pl.Series) -> Feature:
    codes, vocabulary = _coded(values)
    return Feature(np.concatenate([[0], codes]).astype(np.int32), vocabulary)


def _multi_valued(values: pl.Series) -> Feature:
    num_rows = len(values)
    pairs = (
        pl.DataFrame({"row": np.arange(1, num_rows + 1), "value": values})
        .explode("value", empty_as_null=True)
        .filter(pl.col("value").is_not_null() & (pl.col("value") != ""))
        .unique(maintain_order=True)
        .with_columns(place=pl.int_range(pl.len()).over("row"))
    )
    codes, vocabulary = _coded(pairs["value"])
    width = 1 if pairs.is_empty() else pairs["place"].max() + 1
    table = np.zeros((num_rows + 1, width), np.int32)  # [R + 1, M]
    table[pairs["row"].to_numpy(), pairs["place"].to_numpy()] = codes
    return Feature(table, vocabulary)


def _coded(values: pl.Series) -> tuple[np.ndarray, tuple[str, ...]]:
    """Codes from 1 in the sorted vocabulary; missing and empty values are 0."""
    vocabulary = values.filter(values != "").drop_nulls().unique().sort()
    codes = values.cast(pl.Enum(vocabulary), strict=False).to_physical().cast(pl.Int32) + 1
    return codes.fill_null(0).to_numpy(), tuple(vocabulary.to_list())


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
