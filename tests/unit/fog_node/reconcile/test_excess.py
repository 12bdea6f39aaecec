"""What a container does too much of is said once, shown for a while, and then forgotten."""

import pytest

from fog_node.reconcile.excess import FLOOD_BYTES_PER_S, LOOKS, SAID_FOR_US, Excesses
from fog_node.runtimes.runtime import Condition, Container, ContainerSpec, Limits, Slot, Usage
from fogline.model.clock import SECOND

LIMITS = Limits(cpu_millis=1000, memory_bytes=1 << 20, pids=16, tmp_bytes=0)
SPEC = ContainerSpec(
    slot=Slot(kind="operator", plan="p", name="clean"), tenant="main", image="x", limits=LIMITS
)
ONE = Container(id="c1", spec=SPEC, condition=Condition.RUNNING, since_us=0)


def used(*, forks: int = 0, output: int = 0) -> Usage:
    return Usage(cpu_us=0, memory_bytes=0, throttled_us=0, forks_refused=forks, output_bytes=output)


def test_what_is_within_bounds_is_nothing() -> None:
    excesses = Excesses()
    for look in range(10):
        at_us = look * 2 * SECOND
        assert excesses.measured(ONE, used(output=look * FLOOD_BYTES_PER_S), at_us) == []
        assert excesses.words(ONE, at_us) == ""


def test_refused_processes_are_said_also_those_of_its_start() -> None:
    excesses = Excesses()
    ((event, words),) = excesses.measured(ONE, used(forks=7), SECOND)
    assert event == "too_many_processes"
    assert "more than its 16 processes and threads: 7 were refused" in words
    assert excesses.measured(ONE, used(forks=9), 2 * SECOND) == [], "said once"
    assert "9 were refused" in excesses.words(ONE, 3 * SECOND)
    assert excesses.words(ONE, 2 * SECOND + SAID_FOR_US) == ""
    assert excesses.measured(ONE, used(forks=10), 3 * SECOND + SAID_FOR_US), "said anew"


def test_a_flood_must_last() -> None:
    excesses, output, said = Excesses(), 5 << 30, []
    for look in range(LOOKS + 3):
        said += excesses.measured(ONE, used(output=output), look * SECOND)
        output += 2 * FLOOD_BYTES_PER_S
    assert [event for event, _ in said] == ["floods_output"]
    assert "floods its output" in excesses.words(ONE, LOOKS * SECOND)
    excesses.forget_others(set())
    assert excesses.words(ONE, LOOKS * SECOND) == ""


@pytest.mark.parametrize(("looks", "is_flood"), [("fffqqf", True), ("ffqff", True), ("fqfqfqfq", False)])
def test_a_look_that_misses_it_does_not_hide_a_flood(looks: str, *, is_flood: bool) -> None:
    excesses, output, said = Excesses(), 0, []
    excesses.measured(ONE, used(), 0)
    for number, look in enumerate(looks, start=1):
        output += 2 * FLOOD_BYTES_PER_S * (look == "f")
        said += excesses.measured(ONE, used(output=output), number * SECOND)
    assert bool(said) is is_flood
