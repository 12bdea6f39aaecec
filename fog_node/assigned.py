"""How many replicas run here, from the cloud's grants and the aggregator's assignments. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from fog_node.reconcile.desired import Assigned
from fogline.control.grants import excess, is_eligible, may_assign
from fogline.v1 import control_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """What of the assignments holds here."""

    shares: Mapping[tuple[str, str], Assigned] = field(default_factory=lambda: MappingProxyType({}))
    """By plan and step; what has none runs as granted."""
    faults: tuple[str, ...] = ()
    """Assignments that go beyond their grant, in words."""


NOTHING = Effective()


def effective(
    state: control_pb2.DesiredState, assignments: control_pb2.Assignments | None, node: str
) -> Effective:
    """What of the newest assignments that were seen holds on this node: nothing beyond what the cloud grants.

    They stay in force when their aggregator is gone, and over later generations as long as the grant allows them. An
    assignment that goes beyond its grant blocks only itself: the step runs as granted.
    """
    if assignments is None:
        return NOTHING
    grants = {grant.plan: grant for grant in state.grants}
    shares: dict[tuple[str, str], Assigned] = {}
    faults: list[str] = []
    for one in assignments.assignments:
        if one.node != node or one.plan not in grants:
            continue
        fault = _fault(grants[one.plan], one, assignments)
        if fault is None:
            continue
        if fault:
            faults.append(f"step {one.step} of plan {one.plan} runs as granted, not as assigned: {fault}")
            shares.pop((one.plan, one.step), None)
        else:
            shares[one.plan, one.step] = Assigned(
                replicas=one.replicas, cpu_millis=one.cpu_millis, memory_bytes=one.memory_bytes
            )
    return Effective(shares=MappingProxyType(shares), faults=tuple(faults))


def _fault(
    grant: control_pb2.Grant, one: control_pb2.Assignment, assignments: control_pb2.Assignments
) -> str | None:
    """Why an assignment does not hold; empty: it does; None: it is of no concern any more."""
    operator = next((each for each in grant.operators if each.step == one.step), None)
    if operator is None:
        return None
    if not is_eligible(grant, one.node):
        return f"the cloud does not let {one.node} run it"
    if not may_assign(grant, assignments.aggregator):
        return f"the cloud does not let {assignments.aggregator} assign it"
    if assignments.term > grant.term:
        return f"term {assignments.term} is not granted"
    return excess(one, operator)
