"""Where what is granted runs, and how many of it: decided from grants and the group's capacities. A pure core."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fogline.control.grants import is_eligible, may_assign, term_of
from fogline.v1 import control_pb2

DOCKER: Final = "docker"
PROCESS: Final = "process"
MAX_SEQUENCE: Final = 1 << 62
"""No node is believed that it has seen a higher one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A node of the group, as its newest report says."""

    name: str
    capacity: control_pb2.Capacity
    sequence: int = 0
    """Of the newest assignments that it has seen, perhaps of another aggregator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Assignments as they are given out."""

    generation: int
    term: int
    sequence: int
    entries: tuple[control_pb2.Assignment, ...]


@dataclass(slots=True)
class _Room:
    """What a node has left."""

    cpu_millis: int
    memory_bytes: int

    def takes(self, operator: control_pb2.OperatorRelease) -> bool:
        """Give out what an operator needs at least, if it is there."""
        cpu = operator.min_replicas * operator.resources.cpu_millis
        memory = operator.min_replicas * operator.resources.memory_bytes
        if cpu > self.cpu_millis or memory > self.memory_bytes:
            return False
        self.cpu_millis -= cpu
        self.memory_bytes -= memory
        return True


def entries(
    state: control_pb2.DesiredState, aggregator: str, members: Iterable[Member]
) -> tuple[control_pb2.Assignment, ...]:
    """As many replicas as are granted at least, on every node of the group that may and can run them."""
    made: list[control_pb2.Assignment] = []
    for member in sorted(members, key=lambda each: each.name):
        room = _Room(member.capacity.cpu_millis, member.capacity.memory_bytes)
        for grant in state.grants:
            if not may_assign(grant, aggregator) or not is_eligible(grant, member.name):
                continue
            made += [
                control_pb2.Assignment(
                    node=member.name, plan=grant.plan, step=operator.step, replicas=operator.min_replicas
                )
                for operator in grant.operators
                if _runtime(operator) in member.capacity.runtimes and room.takes(operator)
            ]
    return tuple(made)


def decide(
    before: Decision | None,
    state: control_pb2.DesiredState,
    aggregator: str,
    members: Sequence[Member],
) -> Decision | None:
    """What to give out now; None: what was given out still holds.

    The sequence is higher than that of anything given out before, and than what any member has seen: a node that
    comes from another aggregator obeys this one.
    """
    made, generation, term = entries(state, aggregator, members), int(state.generation), term_of(state)
    if before is None and not made:
        return None
    given = before.sequence if before is not None else 0
    seen = max((m.sequence for m in members if m.sequence < MAX_SEQUENCE), default=0)
    same = before is not None and (before.generation, before.term) == (generation, term)
    if before is not None and same and seen <= given and _by_place(before.entries) == _by_place(made):
        return None
    return Decision(generation=generation, term=term, sequence=max(given, seen) + 1, entries=made)


def _by_place(
    made: Sequence[control_pb2.Assignment],
) -> Mapping[tuple[str, str, str], tuple[int, int, int]]:
    return {(one.node, one.plan, one.step): (one.replicas, one.cpu_millis, one.memory_bytes) for one in made}


def _runtime(operator: control_pb2.OperatorRelease) -> str:
    return operator.runtime or (PROCESS if operator.image.startswith(f"{PROCESS}:") else DOCKER)
