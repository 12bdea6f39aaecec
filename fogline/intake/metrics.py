"""What comes from children, the same for aggregators and clouds but for the tier in the names."""

from typing import Final, Literal

from fogline.intake.servicer import IntakeServicer
from fogline.service.metrics import Kind, Metric, MetricGroup, Snapshot


class IntakeMetrics(MetricGroup):
    """The metrics of one tier's intake."""

    def __init__(self, tier: Literal["aggregator", "cloud"]) -> None:
        def counter(name: str, help_: str) -> Metric:
            return Metric(name=f"fogline_{tier}_{name}_total", kind=Kind.COUNTER, help=help_)

        self.children: Final = Metric(
            name=f"fogline_{tier}_children", kind=Kind.GAUGE, help="Children that have a stream open."
        )
        self.parts: Final = counter("parts_received", "Parts from children.")
        self.bytes: Final = counter("received_bytes", "Bytes of parts from children.")
        self.malformed: Final = counter(
            "malformed_streams", "Streams that were ended because the child's words made no sense."
        )

    def fill(self, snapshot: Snapshot, intake: IntakeServicer) -> None:
        """Read an intake."""
        counters = intake.counters
        snapshot.add(self.children, len(intake.children))
        snapshot.add(self.parts, counters.parts)
        snapshot.add(self.bytes, counters.bytes)
        snapshot.add(self.malformed, counters.malformed)
