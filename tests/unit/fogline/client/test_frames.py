"""Tables of results: pandas, polars and Arrow say what the Python values say."""
# ruff: noqa: PD011 -- these `values` are those of a Result

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fogline.client.columns import to_columns
from fogline.client.frames import ExtraMissing, to_arrow, to_pandas, to_polars
from fogline.client.values import Result, WindowStatus
from fogline.model.plan import Scalar

FIXED_FIRST = ["window_start", "window_end", "step"]
FIXED_LAST = ["status", "have", "expected", "readings", "revision"]
INSTANTS = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
INT64 = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
VALUES: Mapping[str, st.SearchStrategy[Scalar]] = {
    "n": INT64,
    "avg": st.floats(),
    "word": TEXTS,
    "truth": st.booleans(),
    "seldom": st.none() | INT64,
    "mostly": st.none() | st.floats(allow_nan=False),
    "nothing": st.none(),
}


def result(**wishes: Any) -> Result:
    start = datetime(2026, 1, 31, 12, tzinfo=UTC)
    given: dict[str, Any] = {
        "pipeline": "air",
        "step": "by_zone",
        "window_start": start,
        "window_end": start + timedelta(seconds=10),
        "key": {"zone": "a"},
        "values": {"n": 3},
        "status": WindowStatus.COMPLETE,
        "have": 2,
        "expected": 2,
        "missing": (),
        "revision": 0,
        "change": 7,
        "readings": 3,
    }
    return Result(**{**given, **wishes})


@st.composite
def rows(draw: st.DrawFn) -> list[Result]:
    keys = draw(st.sets(st.sampled_from(["zone", "lot", "status"])))
    outputs = draw(st.sets(st.sampled_from([*VALUES, "readings", "zone"])))
    whole = st.integers(0, 2**32 - 1)
    return draw(
        st.lists(
            st.builds(
                Result,
                pipeline=st.just("air"),
                step=st.sampled_from(["by_zone", "all"]),
                window_start=INSTANTS,
                window_end=INSTANTS,
                key=st.fixed_dictionaries(dict.fromkeys(sorted(keys), st.none() | TEXTS)),
                values=st.fixed_dictionaries({name: VALUES.get(name, INT64) for name in sorted(outputs)}),
                status=st.sampled_from(WindowStatus),
                have=whole,
                expected=whole,
                missing=st.just(()),
                revision=whole,
                change=whole,
                readings=st.integers(0, 2**63 - 1),
            ),
            max_size=6,
        )
    )


def plain(value: Any) -> Any:
    """A cell as a Python value; pandas says null where a float is not a number."""
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value


def from_pandas(frame: pd.DataFrame) -> dict[str, list[Any]]:
    return {str(name): [plain(v) for v in frame[name].astype(object)] for name in frame.columns}


def from_lists(columns: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    return {name: [plain(v) for v in values] for name, values in columns.items()}


@given(rows())
@settings(max_examples=60)
def test_all_three_say_what_the_values_say(found: list[Result]) -> None:
    expected = from_lists({c.name: c.values for c in to_columns(found)})

    assert from_pandas(to_pandas(found)) == expected
    assert from_lists(to_polars(found).to_dict(as_series=False)) == expected
    assert from_lists(to_arrow(found).to_pydict()) == expected
    assert expected["window_start"] == [r.window_start for r in found]
    for name in {n for r in found for n in r.values} - {"readings", "zone"}:
        assert expected[name] == [plain(r.values[name]) for r in found]
    assert expected["readings"] == [r.readings for r in found]


def test_columns_have_the_types_that_the_docs_promise() -> None:
    values = {"n": 3, "avg": 1.5, "word": "x", "truth": True}
    found = [result(values=values), result(key={"zone": None}, values=dict.fromkeys(values))]
    names = [*FIXED_FIRST, "zone", "n", "avg", "word", "truth", *FIXED_LAST]

    pandas = to_pandas(found)
    assert {n: str(t) for n, t in pandas.dtypes.items()} == {
        **dict.fromkeys(("window_start", "window_end"), "datetime64[us, UTC]"),
        **dict.fromkeys(("step", "zone", "status"), "category"),
        **dict.fromkeys(("n", "have", "expected", "readings", "revision"), "Int64"),
        "avg": "float64",
        "word": "string",
        "truth": "boolean",
    }
    assert list(pandas.columns) == names
    polars = to_polars(found)
    assert list(polars.schema) == names
    assert [polars.schema[n] for n in ("window_start", "zone", "n", "avg", "word", "truth")] == [
        pl.Datetime("us", "UTC"),
        pl.Categorical(),
        pl.Int64(),
        pl.Float64(),
        pl.String(),
        pl.Boolean(),
    ]
    arrow = to_arrow(found)
    assert arrow.column_names == names
    assert [arrow.schema.field(n).type for n in ("window_start", "zone", "n", "avg", "word", "truth")] == [
        pa.timestamp("us", tz="UTC"),
        pa.dictionary(pa.int32(), pa.string()),
        pa.int64(),
        pa.float64(),
        pa.string(),
        pa.bool_(),
    ]


def test_without_results_the_columns_that_every_table_has_keep_their_types() -> None:
    names = [*FIXED_FIRST, *FIXED_LAST]
    some = [result()]

    assert to_pandas([]).dtypes.to_dict() == to_pandas(some).dtypes[names].to_dict() | {
        n: to_pandas([]).dtypes[n]
        for n in ("step", "status")  # categories are those that came
    }
    assert to_polars([]).schema == to_polars(some).select(names).schema
    assert to_arrow([]).schema == to_arrow(some).select(names).schema
    assert len(to_pandas([])) == len(to_polars([])) == len(to_arrow([])) == 0


def test_a_name_that_is_taken_says_whose_it_is() -> None:
    found = [result(key={"status": "ok", "n": "x"}, values={"n": 1, "readings": 2, "value.n": 3})]

    assert [c.name for c in to_columns(found)][3:-5] == [
        "key.status",
        "n",
        "value.n",
        "value.readings",
        "value.value.n",
    ]


def test_steps_share_a_table_and_a_type_that_changed_is_widened() -> None:
    found = [
        result(step="a", key={"zone": "x"}, values={"n": 1, "x": 1}),
        result(step="b", key={"room": "y"}, values={"n": 1.5, "x": True}),
        result(step="b", key={"room": "y"}, values={"n": None, "x": "word"}),
    ]
    columns = {c.name: list(c.values) for c in to_columns(found)}

    assert columns["zone"] == ["x", None, None]
    assert columns["room"] == [None, "y", "y"]
    assert columns["n"] == [1.0, 1.5, None]
    assert columns["x"] == ["1", "true", "word"]


@pytest.mark.parametrize(
    ("make", "module", "extra"),
    [(to_pandas, "pandas", "pandas"), (to_polars, "polars", "polars"), (to_arrow, "pyarrow", "arrow")],
)
def test_a_missing_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, make: Any, module: str, extra: str
) -> None:
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(ExtraMissing, match=rf"{module} is not installed .*fogline\[{extra}\]"):
        make([result()])
