"""The drill's own sums find every kind of difference."""

from copy import deepcopy
from typing import Any

import pytest

from bench.drill_ulb import FIELDS, computed, differences, ledger_faults, spec_of
from fogline.spec import make_plan, read_spec

HOUR_MS = 3_600_000
CELLS = dict.fromkeys(FIELDS, "1.5")
ROWS = [
    {"ts_ms": str(10 * HOUR_MS), "node": "7", "seq": "1", **CELLS, "temp_c": "20.10"},
    {"ts_ms": str(10 * HOUR_MS + 300), "node": "7", "seq": "1", **CELLS, "temp_c": "20.10"},
    {"ts_ms": str(11 * HOUR_MS - 1), "node": "7", "seq": "2", **CELLS, "temp_c": "20.40"},
    {"ts_ms": str(11 * HOUR_MS), "node": "7", "seq": "3", **CELLS, "temp_c": ""},
]


def results() -> list[dict[str, Any]]:
    """What a right Fogline answers for these rows with identity."""
    same = {f"{f}_{a}": 1.5 for f in FIELDS for a in ("min", "max", "avg")}
    first: dict[str, float | None] = {"n": 2, **{f"{f}_n": 2 for f in FIELDS}, **same}
    first |= {"temp_c_min": 20.1, "temp_c_max": 20.4, "temp_c_avg": 20.25}
    second: dict[str, float | None] = {"n": 1, **{f"{f}_n": 1 for f in FIELDS}, **same}
    second |= {"temp_c_n": 0, "temp_c_min": None, "temp_c_max": None, "temp_c_avg": None}
    return [
        {"key": {"node": "7"}, "window_start": "1970-01-01T10:00:00Z", "values": first},
        {"key": {"node": "7"}, "window_start": "1970-01-01T11:00:00Z", "values": second},
    ]


def test_right_results_have_no_difference() -> None:
    assert list(differences(computed(ROWS, 0, once=True), results())) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("n", 3), ("temp_c_n", 1), ("temp_c_min", 20.11), ("temp_c_max", 20.3), ("temp_c_avg", 20.26)],
)
def test_a_wrong_value_is_found(name: str, value: float) -> None:
    wrong = results()
    wrong[0]["values"][name] = value
    assert len(list(differences(computed(ROWS, 0, once=True), wrong))) == 1


def test_lost_extra_and_shifted_windows_are_found() -> None:
    wanted = computed(ROWS, 0, once=True)
    assert len(list(differences(wanted, results()[:1]))) == 1
    assert len(list(differences(wanted, [*results(), results()[0]]))) == 1
    assert len(list(differences(computed(ROWS, 2 * HOUR_MS * 1000, once=True), results()))) == 4


def test_repeats_that_were_counted_are_found() -> None:
    assert list(differences(computed(ROWS, 0, once=False), results()))


STEP = {"step": "s", "decoded": 4, "counted": 3, "filtered": 0, "dead": {"duplicate": 1}, "too_late": {}}
LINE = {"pipeline": "p", "received": 4, "journaled": 4, "refused": {}, "before_start": 0, "committed": 4}
LEDGER = [{**LINE, "pending": 0, "gap": {}, "steps": [STEP], "adds_up": True, "differences": []}]


def test_a_ledger_that_adds_up_has_no_fault() -> None:
    assert list(ledger_faults(LEDGER, 4, 1)) == []


@pytest.mark.parametrize(
    "change", [{"adds_up": False}, {"received": 5}, {"committed": 3}, {"gap": {"expired": 1}}, {"pending": 1}]
)
def test_a_ledger_that_does_not_add_up_is_found(change: dict[str, Any]) -> None:
    assert list(ledger_faults([{**LEDGER[0], **change}], 4, 1))


@pytest.mark.parametrize(
    "change", [{"counted": 4}, {"dead": {}}, {"too_late": {"state_gone": 1}}, {"decoded": 5}]
)
def test_a_step_that_does_not_add_up_is_found(change: dict[str, Any]) -> None:
    ledger = deepcopy(LEDGER)
    ledger[0]["steps"] = [{**STEP, **change}]
    assert list(ledger_faults(ledger, 4, 1))


@pytest.mark.parametrize("name", ["ulb-all", "ulb-once"])
def test_the_drills_pipelines_can_be_deployed(name: str) -> None:
    assert make_plan(read_spec(spec_of(name)), "main").pipeline == name
