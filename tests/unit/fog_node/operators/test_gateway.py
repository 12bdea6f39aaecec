"""The gateway without any operator: who comes first, what is forgotten, what grants change."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fog_node.operators.gateway import Operators
from fog_node.operators.settings import OperatorSettings
from fog_node.operators.step import OperatorStep
from fog_node.operators.values import rows_at_once
from fogline.model.clock import SECOND
from fogline.testing.clock import ManualClock
from fogline.v1 import control_pb2
from tests.unit.fog_node.steps.test_operator_steps import with_operators


@pytest.fixture
async def operators(tmp_path: Path) -> Operators:
    return Operators(OperatorSettings(), folder=tmp_path, clock=ManualClock())


def steps(operators: Operators) -> dict[str, OperatorStep]:
    found = operators.row_steps("p1", with_operators())
    assert all(isinstance(step, OperatorStep) for step in found.values())
    return {name: step for name, step in found.items() if isinstance(step, OperatorStep)}


def grant(image: str, timeout_us: int) -> control_pb2.Grant:
    release = control_pb2.OperatorRelease(step="thrice", image=image, timeout_us=timeout_us)
    return control_pb2.Grant(plan="p1", operators=[release])


async def test_only_operator_steps_are_answered_for(operators: Operators) -> None:
    assert sorted(steps(operators)) == ["again", "thrice"]
    assert [(report.plan, report.step) for report in operators.reports()] == [
        ("p1", "thrice"),
        ("p1", "again"),
    ]


async def test_a_replica_may_be_told_before_its_plan_and_gone_twice(operators: Operators) -> None:
    operators.replica_up("p1", "thrice", 0, Path("nowhere.sock"))
    operators.replica_gone("p1", "thrice", 1)
    found = steps(operators)
    assert list(found["thrice"].dialled) == [0]
    assert not found["again"].dialled
    operators.replica_gone("p1", "thrice", 0)
    operators.replica_gone("p1", "thrice", 0)
    assert not found["thrice"].dialled


async def test_the_release_says_the_deadline_before_and_after_the_plan(operators: Operators) -> None:
    operators.granted([grant("a@sha256:1", 7 * SECOND)])
    found = steps(operators)
    assert found["thrice"].dispatch.timeout_s == 7
    assert found["again"].dispatch.timeout_s == 5
    operators.granted([grant("a@sha256:1", 0)])
    assert found["thrice"].dispatch.timeout_s == 5


async def test_another_image_is_believed_anew_and_the_same_one_is_not(operators: Operators) -> None:
    operators.granted([grant("a@sha256:1", 0)])
    dispatch = steps(operators)["thrice"].dispatch
    dispatch.up(0, 0)
    dispatch.offered(1, 0)
    dispatch.answered(0, 1, 0)
    operators.granted([grant("a@sha256:1", SECOND)])
    assert dispatch.is_trusted
    operators.granted([grant("a@sha256:2", SECOND)])
    assert not dispatch.is_trusted


async def test_a_withdrawn_plan_is_forgotten(operators: Operators) -> None:
    steps(operators)
    operators.replica_up("p1", "thrice", 0, Path("nowhere.sock"))
    operators.withdraw("p1")
    assert operators.reports() == []
    operators.replica_gone("p1", "thrice", 0)


def test_a_batch_is_never_wider_than_a_message() -> None:
    assert rows_at_once(32 << 20, 4) == 65_536
    assert 1_000 < rows_at_once(32 << 20, 256) < 65_536
    assert rows_at_once(100, 256) == 1


@given(st.integers(1, 2**26), st.integers(0, 300))
def test_answers_of_several_rows_a_reading_fit_into_a_message(message_bytes: int, columns: int) -> None:
    rows = rows_at_once(message_bytes, columns)
    assert rows == 1 or rows * (columns + 1) * 9 <= message_bytes / 4
