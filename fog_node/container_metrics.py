"""What a node counts of its containers, for Prometheus. docs/monitoring.md explains each.

A series for each slot of a pipeline's newest and older plans, never for a container or a plan: those come and go.
"""

from collections.abc import Iterable
from typing import Final

from fog_node.sessions.sessions import ContainerSessions
from fog_node.steps.lane import PlanLane
from fogline.model.clock import SECOND
from fogline.service.metrics import Kind, Metric, Snapshot
from fogline.v1 import control_pb2

STATES: Final = ("waiting", "pulling", "starting", "running", "backing_off", "quarantined", "failed")

_SLOT: Final = ("pipeline", "kind", "name", "replica")

CONTAINERS = Metric(
    name="fogline_node_containers",
    kind=Kind.GAUGE,
    help="Containers that shall run, by how they stand.",
    labels=("state",),
)
CPU = Metric(
    name="fogline_node_container_cpu_seconds_total",
    kind=Kind.COUNTER,
    help="CPU that the container which runs now has used.",
    labels=_SLOT,
)
THROTTLED = Metric(
    name="fogline_node_container_throttled_seconds_total",
    kind=Kind.COUNTER,
    help="Time in which the container which runs now had used up its CPU.",
    labels=_SLOT,
)
MEMORY = Metric(
    name="fogline_node_container_memory_bytes",
    kind=Kind.GAUGE,
    help="Memory of the container, without page cache that it can give back.",
    labels=_SLOT,
)
RESTARTS = Metric(
    name="fogline_node_container_restarts_total",
    kind=Kind.COUNTER,
    help="Starts of the container after the first, since the node's own start.",
    labels=_SLOT,
)
VISITS = Metric(
    name="fogline_node_container_sessions",
    kind=Kind.GAUGE,
    help="Sessions with containers that are open: logs, commands, usage.",
)


def add_containers(
    snapshot: Snapshot,
    reports: Iterable[control_pb2.ContainerReport],
    lanes: tuple[PlanLane, ...],
    visits: ContainerSessions,
) -> None:
    """Add what the newest report says."""
    pipelines = {lane.plan: lane.spec.pipeline for lane in lanes}
    snapshot.add(VISITS, visits.open)
    for state in STATES:
        snapshot.add(CONTAINERS, 0, state)
    for report in reports:
        snapshot.add(CONTAINERS, 1, report.state)
        labels = (pipelines.get(report.plan, ""), report.kind, report.name, str(report.replica))
        snapshot.add(RESTARTS, report.restarts, *labels)
        if report.id:
            snapshot.add(CPU, report.cpu_us / SECOND, *labels)
            snapshot.add(THROTTLED, report.throttled_us / SECOND, *labels)
            snapshot.add(MEMORY, report.memory_bytes, *labels)
