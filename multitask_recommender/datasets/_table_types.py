"""What the columns of a table mean: ids, numbers, times, features. Pure functions on polars series.

Columns of CSV files come as text, those of Parquet with a type.
"""

import polars as pl

_TIME_FORMATS = (  # ISO 8601, and as databases write it
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d",
)


def same_ids(columns: list[pl.Series]) -> list[pl.Series]:
    """The columns as int64 if that loses nothing in any of them (`007` is not 7), else as text."""
    whole = [_whole(values) for values in columns]
    if all(values is not None for values in whole):
        return whole
    return [values.cast(pl.String) for values in columns]


def _whole(values: pl.Series) -> pl.Series | None:
    if not (values.dtype.is_numeric() or values.dtype == pl.String):
        return None
    integers = values.cast(pl.Int64, strict=False)
    unchanged = integers.cast(values.dtype, strict=False).eq_missing(values)
    return integers if unchanged.all() else None


def numbers(values: pl.Series) -> pl.Series:
    """float64; booleans are 0 and 1, what is no number is null."""
    if values.dtype == pl.String:
        values = values.str.to_lowercase().replace({"true": "1", "false": "0"})
    return values.cast(pl.Float64, strict=False)


def seconds(values: pl.Series) -> pl.Series:
    """int64 seconds since 1970 UTC of numbers, dates and times, or text of either; else null."""
    if values.dtype == pl.String:
        dates, figures = _parsed(values), values.cast(pl.Float64, strict=False)
        if dates.null_count() < figures.null_count():
            return dates
        whole = values.cast(pl.Int64, strict=False)
        return whole if whole.null_count() == figures.null_count() else seconds(figures)
    if values.dtype.is_temporal() and values.dtype not in (pl.Time, pl.Duration):
        return values.cast(pl.Datetime("us")).dt.epoch("s")
    if values.dtype.is_float():
        values = values.floor()
    return values.cast(pl.Int64, strict=False)


def _parsed(values: pl.Series) -> pl.Series:
    times = pl.col("time")
    formats = [
        times.str.to_datetime(form, strict=False, time_unit="us").dt.epoch("s")
        for form in _TIME_FORMATS
    ]
    return pl.DataFrame({"time": values}).select(pl.coalesce(formats)).to_series()


def kind_of_feature(values: pl.Series, is_text: bool) -> pl.DataType:
    """float64 for numbers with a fraction, lists of text for several values, else text."""
    if values.dtype == pl.String:
        if values.str.contains("|", literal=True).any():
            return pl.List(pl.String())
        return pl.Float64() if is_text and _are_fractions(values) else pl.String()
    if values.dtype in (pl.List, pl.Array):
        return pl.List(pl.String())
    is_number = values.dtype.is_float() or values.dtype.is_decimal()
    return pl.Float64() if is_number else pl.String()


def as_feature(values: pl.Series, kind: pl.DataType) -> pl.Series:
    """Values as a kind of feature; null for what is empty, NaN, or not of that kind."""
    if values.dtype == pl.String:
        values = _without_blanks(values)
        if kind == pl.List:
            return values.str.split("|")
    if kind.is_float():
        return values.cast(kind, strict=False).fill_nan(None)
    return values.cast(kind)


def _are_fractions(texts: pl.Series) -> bool:
    """Whether they are numbers throughout, and not all of them whole."""
    texts = _without_blanks(texts)
    figures = texts.cast(pl.Float64, strict=False)
    are_numbers = figures.null_count() == texts.null_count() < len(texts)
    are_whole = texts.cast(pl.Int64, strict=False).null_count() == texts.null_count()
    return are_numbers and not are_whole


def _without_blanks(texts: pl.Series) -> pl.Series:
    return texts.set(texts == "", None)
