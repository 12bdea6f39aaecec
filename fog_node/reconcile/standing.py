"""How each container stands, for the node's report."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fog_node.runtimes.runtime import Slot, Usage
from fogline.model.words import plain
from fogline.v1 import control_pb2

EVENTS: Final = 50
DETAIL: Final = 500
"""Characters of an event's or fault's words that are told."""

FINAL: Final = frozenset(
    {"wrong_architecture", "bad_digest", "wrong_runtime", "bad_bundle", "network_open", "registry_refused"}
)
"""Faults that trying again does not mend, unless somebody mends something elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One slot as people see it."""

    slot: Slot
    runtime: str
    image: str
    state: str
    fault: str = ""
    container: str = ""
    restarts: int = 0
    since_us: int = 0
    usage: Usage | None = None


def to_report(standing: Standing) -> control_pb2.ContainerReport:
    """As the control stream wants it."""
    slot, usage = standing.slot, standing.usage
    return control_pb2.ContainerReport(
        kind=slot.kind,
        plan=slot.plan,
        name=slot.name,
        replica=slot.replica,
        id=standing.container,
        runtime=standing.runtime,
        image=standing.image,
        state=standing.state,
        fault=plain(standing.fault, DETAIL),
        restarts=standing.restarts,
        since_us=standing.since_us,
        cpu_us=usage.cpu_us if usage else 0,
        memory_bytes=usage.memory_bytes if usage else 0,
        throttled_us=usage.throttled_us if usage else 0,
    )


class Events:
    """The newest events of containers; the oldest go."""

    def __init__(self) -> None:
        self._kept: Final[deque[control_pb2.ContainerEvent]] = deque(maxlen=EVENTS)

    def note(self, slot: Slot, event: str, detail: str, at_us: int) -> None:
        """Something happened."""
        self._kept.append(
            control_pb2.ContainerEvent(
                at_us=at_us,
                kind=slot.kind,
                plan=slot.plan,
                name=slot.name,
                replica=slot.replica,
                event=event,
                detail=plain(detail, DETAIL),
            )
        )

    def newest(self) -> Iterable[control_pb2.ContainerEvent]:
        """All that are kept, the oldest first."""
        return tuple(self._kept)
