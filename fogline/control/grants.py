"""What an aggregator may assign: within the cloud's grants. The same rules for whoever assigns and who obeys."""

from fogline.v1 import control_pb2
from fogline.wire.release_rules import LEAST_CPU_MILLIS, LEAST_MEMORY


def term_of(state: control_pb2.DesiredState) -> int:
    """The term in which assignments are made now; 0 without grants."""
    return max((int(grant.term) for grant in state.grants), default=0)


def may_assign(grant: control_pb2.Grant, aggregator: str) -> bool:
    """Whether this aggregator may fill a grant; without a succession every parent may."""
    return not grant.aggregators or aggregator in grant.aggregators


def is_eligible(grant: control_pb2.Grant, node: str) -> bool:
    """Whether this node may run what is granted."""
    return not grant.nodes or node in grant.nodes


def excess(assignment: control_pb2.Assignment, operator: control_pb2.OperatorRelease) -> str:
    """In what an assignment goes beyond the grant, in words; empty: in nothing."""
    least, most = operator.min_replicas, operator.max_replicas
    if not least <= assignment.replicas <= most:
        return f"{assignment.replicas} replicas, and {least} to {most} are granted"
    granted = operator.resources
    if assignment.cpu_millis and not LEAST_CPU_MILLIS <= assignment.cpu_millis <= granted.cpu_millis:
        return f"{assignment.cpu_millis} thousandths of a core, and {granted.cpu_millis} are granted"
    if assignment.memory_bytes and not LEAST_MEMORY <= assignment.memory_bytes <= granted.memory_bytes:
        return f"{assignment.memory_bytes} bytes of memory, and {granted.memory_bytes} are granted"
    return ""
