import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fogline.engine.state import OpaqueState, StateTable
from fogline.engine.windows import WindowProgram
from tests.unit.fogline.engine import readings as given_readings
from tests.unit.fogline.engine.readings import Reading, batch_of, dense, maps, window_step


@given(readings=given_readings.READINGS, data=st.data())
def test_taking_rows_of_a_table_takes_their_keys_and_states(
    readings: list[Reading], data: st.DataObject
) -> None:
    table = WindowProgram(window_step(("zone", "device")), 1000).run(batch_of(readings)).table
    rows = data.draw(st.lists(st.integers(0, max(table.rows - 1, 0)), max_size=8 if table.rows else 0))
    taken = table.take(np.array(rows, dtype=np.intp))

    assert taken.rows == len(rows)
    assert taken.pane_start.tolist() == [table.pane_start[row] for row in rows]
    for key, whole in zip(taken.keys, table.keys, strict=True):
        assert len(key) == len(rows)
        assert key.texts() == [whole.texts()[row] for row in rows]
    for name in ("temps", "flow_min"):
        assert dense(taken, name) == [dense(table, name)[row] for row in rows]
    for name in ("flow_buckets", "levels", "devices"):
        assert maps(taken, name) == [maps(table, name)[row] for row in rows]


def test_a_mask_chooses_rows_too() -> None:
    readings = [Reading(0, zone, None, 1.0, 1, 1.0) for zone in "abb"]
    table = WindowProgram(window_step(), 1000).run(batch_of(readings)).table
    taken = table.take(np.array([False, True]))

    assert taken.keys[0].texts() == ["b"]
    assert [sum(one.values()) for one in maps(taken, "flow_buckets")] == [2]
    assert [len(state) for state in taken.states if not isinstance(state, OpaqueState)] == [1] * 16


def test_rows_of_an_unknown_kind_cannot_be_chosen() -> None:
    table = StateTable(
        step="s",
        pane_width_us=1,
        pane_start=np.zeros(1, dtype=np.int64),
        keys=(),
        states=(OpaqueState(name="x", kind="kll", values=b""),),
    )

    with pytest.raises(TypeError, match="'kll'"):
        table.take(np.array([0]))


def test_a_state_that_is_not_there_is_a_key_error() -> None:
    table = WindowProgram(window_step(), 1).run(batch_of([])).table

    with pytest.raises(KeyError):
        table.state("absent")
