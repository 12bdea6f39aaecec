"""State rows as bytes and back."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.store.rows import (
    Layout,
    difference,
    key_columns,
    key_from_text,
    key_hash,
    key_text,
    layout_of,
    row_keys,
    rows_from_bytes,
    rows_to_bytes,
)
from fogline.engine.state import READINGS, DenseState, SparseState, State, StateTable
from fogline.model.errors import DataLoss
from fogline.model.plan import Column, Named, StateSpec, WindowQuery

QUERY = WindowQuery(
    keys=(Named(name="zone", expression=Column("zone")),),
    width_us=10,
    states=(
        StateSpec(name="buckets", kind="map_add", function="log_buckets", parameters={"alpha": 0.01}),
        StateSpec(name="low", kind="min_f64", function="min"),
        StateSpec(name="registers", kind="map_max", function="registers"),
        StateSpec(name="total", kind="sum_i64", function="sum", parameters={"resolution": 0.01}),
    ),
    outputs=(),
)
LAYOUT = layout_of("by_zone", "air", QUERY)

keys = st.lists(st.tuples(st.one_of(st.none(), st.text(max_size=6))), max_size=6)
entries = st.dictionaries(st.integers(-(2**31), 2**31 - 1), st.integers(0, 255), max_size=4)


def sparse(name: str, maps: list[dict[int, int]]) -> SparseState:
    spec = next(s for s in LAYOUT.sparse if s.name == name)
    numbers = [m[i] for m in maps for i in sorted(m)]
    ranks, counts = np.array(numbers, dtype=np.uint8), np.array(numbers, dtype=np.int64)
    return SparseState(
        name=name,
        kind=spec.kind,
        lengths=np.array([len(m) for m in maps], dtype=np.uint32),
        indexes=np.array([i for m in maps for i in sorted(m)], dtype=np.int32),
        values=ranks if spec.kind == "map_max" else counts,
        parameters=spec.parameters,
    )


def table(data: st.DataObject, rows: list[tuple[str | None]]) -> StateTable:
    n = len(rows)
    integers = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=n, max_size=n)
    floats = st.lists(st.floats(allow_nan=False), min_size=n, max_size=n)
    maps = st.lists(entries, min_size=n, max_size=n)
    panes = data.draw(st.lists(st.integers(-(2**58), 2**58).map(lambda p: p * 10), min_size=n, max_size=n))
    states: dict[str, State] = {
        READINGS: DenseState(name=READINGS, kind="sum_i64", values=np.array(data.draw(integers), np.int64)),
        "buckets": sparse("buckets", data.draw(maps)),
        "low": DenseState(name="low", kind="min_f64", values=np.array(data.draw(floats), np.float64)),
        "registers": sparse("registers", data.draw(maps)),
        "total": DenseState(
            name="total",
            kind="sum_i64",
            values=np.array(data.draw(integers), np.int64),
            parameters={"resolution": 0.01},
        ),
    }
    return StateTable(
        step="by_zone",
        pane_width_us=10,
        pane_start=np.array(panes, dtype=np.int64),
        keys=key_columns(("zone",), rows),
        states=tuple(states[name] for name in LAYOUT.order),
    )


@given(data=st.data(), rows=keys)
def test_rows_come_back_as_they_were(data: st.DataObject, rows: list[tuple[str | None]]) -> None:
    before = table(data, rows)
    after = rows_from_bytes(LAYOUT, before.pane_start.tolist(), rows, rows_to_bytes(LAYOUT, before))
    assert row_keys(after) == rows
    assert after.pane_start.tolist() == before.pane_start.tolist()
    for one, other in zip(before.states, after.states, strict=True):
        assert (one.name, one.kind, one.parameters) == (other.name, other.kind, other.parameters)
        assert isinstance(one, DenseState | SparseState)
        assert isinstance(other, DenseState | SparseState)
        assert one.values.tobytes() == other.values.tobytes()
        if isinstance(one, SparseState) and isinstance(other, SparseState):
            assert one.lengths.tolist() == other.lengths.tolist()
            assert one.indexes.tolist() == other.indexes.tolist()
    assert difference(LAYOUT, after) == ""


@given(row=st.binary(max_size=80))
def test_bytes_that_are_no_row_are_data_loss_and_nothing_else(row: bytes) -> None:
    try:
        rows_from_bytes(LAYOUT, [0], [("a",)], [row])
    except DataLoss:
        return
    assert len(row) >= 8 * 3 + 4 * 2


@given(key=st.lists(st.one_of(st.none(), st.text()), max_size=3).map(tuple))
def test_keys_come_back_as_they_were(key: tuple[str | None, ...]) -> None:
    text = key_text(key)
    assert key_from_text(text) == key
    assert text.isascii()
    assert "\0" not in text, "PostgreSQL takes no such text"
    assert len(key_hash(text)) == 16


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"pane_width_us": 20}, "panes"),
        ({"keys": ()}, "keys"),
        ({"states": ()}, "states"),
        ({"pane_start": np.array([7], dtype=np.int64)}, "multiple"),
        ({"pane_start": np.array([-(2**63) + 8], dtype=np.int64)}, "calendar"),
    ],
)
def test_what_contradicts_the_layout_is_said(changed: dict[str, object], said: str) -> None:
    whole = rows_from_bytes(LAYOUT, [10], [("a",)], [bytes(8 * 3 + 4 * 2)])
    assert said in difference(LAYOUT, replace(whole, **changed))  # type: ignore[arg-type] # wrong on purpose


def test_a_state_of_another_kind_or_parameter_is_said() -> None:
    other = Layout(
        step=LAYOUT.step,
        stream=LAYOUT.stream,
        width_us=LAYOUT.width_us,
        keys=LAYOUT.keys,
        dense=LAYOUT.dense,
        sparse=(
            StateSpec(name="buckets", kind="map_add", function="log_buckets", parameters={"alpha": 0.02}),
            LAYOUT.sparse[1],
        ),
        order=LAYOUT.order,
    )
    whole = rows_from_bytes(LAYOUT, [10], [("a",)], [bytes(8 * 3 + 4 * 2)])
    assert "state buckets" in difference(other, whole)
