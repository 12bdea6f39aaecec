"""Results as tables of pandas, polars and Arrow; each library comes with the extra of its name."""

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any, assert_never

from fogline.client.columns import Column, Kind, to_columns
from fogline.client.values import Result
from fogline.model.errors import FogError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa


class ExtraMissing(FogError):
    """A library that is not installed."""

    code = "extra_missing"


def to_pandas(results: Iterable[Result]) -> "pd.DataFrame":
    """Make a pandas frame. Raises :class:`ExtraMissing` without ``fogline[pandas]``.

    Times are ``datetime64[us, UTC]``, integers ``Int64``, numbers ``float64`` (null is NaN), texts ``string``, truths
    ``boolean``; keys, step and status are categories.
    """
    pandas = _library("pandas", extra="pandas")
    columns = to_columns(results)
    series = {c.name: pandas.Series(c.values, dtype=_pandas_type(c.kind)) for c in columns}
    return pandas.DataFrame(series)  # type: ignore[no-any-return] # imported by name


def to_polars(results: Iterable[Result]) -> "pl.DataFrame":
    """Make a polars frame. Raises :class:`ExtraMissing` without ``fogline[polars]``.

    Times are ``Datetime("us", "UTC")``, then ``Int64``, ``Float64``, ``String``, ``Boolean``; keys, step and status
    are ``Categorical``.
    """
    polars = _library("polars", extra="polars")
    columns = to_columns(results)
    return polars.DataFrame([_polars_series(polars, c) for c in columns])  # type: ignore[no-any-return] # as above


def to_arrow(results: Iterable[Result]) -> "pa.Table":
    """Make an Arrow table. Raises :class:`ExtraMissing` without ``fogline[arrow]``.

    Times are ``timestamp[us, UTC]``, then ``int64``, ``double``, ``string``, ``bool``; keys, step and status are
    dictionaries of strings.
    """
    arrow = _library("pyarrow", extra="arrow")
    columns = to_columns(results)
    return arrow.table({c.name: _arrow_array(arrow, c) for c in columns})  # type: ignore[no-any-return] # as above


def _library(name: str, *, extra: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise ExtraMissing(
            f"{name} is not installed", hint=f"pip install 'fogline[{extra}]' brings it"
        ) from None


def _pandas_type(kind: Kind) -> str:
    match kind:
        case Kind.INSTANT:
            return "datetime64[us, UTC]"
        case Kind.INTEGER:
            return "Int64"
        case Kind.NUMBER:
            return "float64"
        case Kind.TEXT:
            return "string"
        case Kind.TRUTH:
            return "boolean"
        case Kind.LABEL:
            return "category"
        case _:
            assert_never(kind)


def _polars_series(polars: Any, column: Column) -> Any:
    types = {
        Kind.INSTANT: polars.Datetime("us", "UTC"),
        Kind.INTEGER: polars.Int64,
        Kind.NUMBER: polars.Float64,
        Kind.TEXT: polars.String,
        Kind.TRUTH: polars.Boolean,
        Kind.LABEL: polars.Categorical,
    }
    return polars.Series(column.name, column.values, dtype=types[column.kind])


def _arrow_array(arrow: Any, column: Column) -> Any:
    types = {
        Kind.INSTANT: arrow.timestamp("us", tz="UTC"),
        Kind.INTEGER: arrow.int64(),
        Kind.NUMBER: arrow.float64(),
        Kind.TEXT: arrow.string(),
        Kind.TRUTH: arrow.bool_(),
        Kind.LABEL: arrow.string(),
    }
    array = arrow.array(column.values, type=types[column.kind])
    return array.dictionary_encode() if column.kind is Kind.LABEL else array
