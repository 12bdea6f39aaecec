"""What of assignments holds on a node: nothing beyond the cloud's grants."""

import pytest

from fog_node.assigned import NOTHING, effective
from fog_node.reconcile.desired import Assigned
from fogline.v1 import control_pb2

MIB = 1 << 20


def state(**grant: object) -> control_pb2.DesiredState:
    operator = control_pb2.OperatorRelease(
        step="s",
        min_replicas=1,
        max_replicas=4,
        resources=control_pb2.Resources(cpu_millis=500, memory_bytes=64 * MIB),
    )
    granted = control_pb2.Grant(plan="p", term=2, operators=[operator], **grant)  # type: ignore[arg-type]
    return control_pb2.DesiredState(generation=9, grants=[granted])


def assigned(
    replicas: int, *, term: int = 2, plan: str = "p", step: str = "s", node: str = "n1", **share: int
) -> control_pb2.Assignments:
    one = control_pb2.Assignment(node=node, plan=plan, step=step, replicas=replicas, **share)
    return control_pb2.Assignments(aggregator="a1", generation=9, term=term, sequence=1, assignments=[one])


@pytest.mark.parametrize("replicas", [1, 2, 4])
def test_an_assignment_within_the_grant_holds(replicas: int) -> None:
    effect = effective(state(), assigned(replicas, cpu_millis=250), "n1")
    assert effect.shares == {("p", "s"): Assigned(replicas=replicas, cpu_millis=250)}
    assert not effect.faults


@pytest.mark.parametrize(
    ("assignments", "words"),
    [
        (assigned(0), "0 replicas, and 1 to 4 are granted"),
        (assigned(5), "5 replicas"),
        (assigned(2, cpu_millis=501), "501 thousandths of a core"),
        (assigned(2, cpu_millis=1), "1 thousandths of a core"),
        (assigned(2, memory_bytes=65 * MIB), "bytes of memory"),
        (assigned(2, term=3), "term 3 is not granted"),
    ],
)
def test_what_goes_beyond_the_grant_is_said_and_the_step_runs_as_granted(
    assignments: control_pb2.Assignments, words: str
) -> None:
    effect = effective(state(), assignments, "n1")
    assert not effect.shares
    assert words in effect.faults[0]


def test_only_eligible_nodes_are_assigned() -> None:
    effect = effective(state(nodes=["n2"]), assigned(2), "n1")
    assert not effect.shares
    assert "does not let n1 run it" in effect.faults[0]


def test_only_aggregators_of_the_succession_assign() -> None:
    assert effective(state(aggregators=["a2", "a1"]), assigned(2), "n1").shares
    effect = effective(state(aggregators=["a2"]), assigned(2), "n1")
    assert not effect.shares
    assert "does not let a1 assign it" in effect.faults[0]


@pytest.mark.parametrize(
    "assignments", [assigned(2, node="n2"), assigned(2, plan="retired"), assigned(2, step="gone"), None]
)
def test_what_is_no_concern_of_this_node_changes_nothing(
    assignments: control_pb2.Assignments | None,
) -> None:
    assert effective(state(), assignments, "n1") == NOTHING


def test_what_was_assigned_goes_on_over_later_generations_and_terms() -> None:
    """With no aggregator a node keeps what it runs."""
    later = state()
    later.generation = 20
    later.grants[0].term = 5
    assert effective(later, assigned(3), "n1").shares == {("p", "s"): Assigned(replicas=3)}


def test_a_wrong_assignment_blocks_only_itself() -> None:
    both = state()
    both.grants.append(both.grants[0])
    both.grants[1].plan = "q"
    assignments = assigned(9)
    assignments.assignments.append(control_pb2.Assignment(node="n1", plan="q", step="s", replicas=2))
    effect = effective(both, assignments, "n1")
    assert effect.shares == {("q", "s"): Assigned(replicas=2)}
    assert len(effect.faults) == 1
