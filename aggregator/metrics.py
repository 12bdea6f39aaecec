"""What an aggregator counts, for Prometheus. docs/monitoring.md explains each."""

from collections.abc import Mapping
from typing import Final

from aggregator.images.cache import ImageCache
from aggregator.images.metrics import add_images
from aggregator.sink import MergeSink
from fogline.control.client import ControlClient
from fogline.control.keep import KeptDesired
from fogline.intake.metrics import IntakeMetrics
from fogline.intake.servicer import IntakeServicer
from fogline.service.calls import CallMetrics, Calls
from fogline.service.metrics import Kind, Metric, Snapshot, Source
from fogline.uplink.metrics import LinkMetrics
from fogline.uplink.uplink import Uplink

INTAKE: Final = IntakeMetrics("aggregator")
LINK: Final = LinkMetrics("aggregator")
CALLS: Final = CallMetrics("aggregator")

SEALED = Metric(
    name="fogline_aggregator_merged_parts_total",
    kind=Kind.COUNTER,
    help="Merged parts that were completed, by what completed them.",
    labels=("cause",),
)
DISCARDED = Metric(
    name="fogline_aggregator_discarded_parts_total",
    kind=Kind.COUNTER,
    help="Merged parts that a refusal made worthless; their messages come again from the nodes.",
)
REFUSALS = Metric(
    name="fogline_aggregator_refusals_total", kind=Kind.COUNTER, help="Refusals passed down to children."
)
HELD = Metric(
    name="fogline_aggregator_held_bytes", kind=Kind.GAUGE, help="States held: merging, on their way, waiting."
)
HELD_AGE = Metric(
    name="fogline_aggregator_oldest_open_seconds",
    kind=Kind.GAUGE,
    help="How long the part that has been merged into for longest is open; 0 if there is none.",
    worst=True,
)
PLANS = Metric(name="fogline_aggregator_plans", kind=Kind.GAUGE, help="Plans whose parts come from children.")
GENERATION = Metric(
    name="fogline_aggregator_desired_generation",
    kind=Kind.GAUGE,
    help="Generation of the desired state that children are told.",
)


class AggregatorMetrics:
    """Reads the parts of one aggregator."""

    def __init__(
        self,
        *,
        intake: IntakeServicer,
        sink: MergeSink,
        uplink: Uplink,
        control: ControlClient,
        kept: KeptDesired,
        images: ImageCache | None,
        calls: Calls,
    ) -> None:
        self._intake: Final = intake
        self._sink: Final = sink
        self._uplink: Final = uplink
        self._control: Final = control
        self._kept: Final = kept
        self._images: Final = images
        self._calls: Final = calls

    @property
    def sources(self) -> Mapping[str, Source]:
        """What is read together, by name."""
        return {
            "intake": self._taking,
            "merging": self._merging,
            "images": lambda snapshot: None if self._images is None else add_images(snapshot, self._images),
            "link": lambda snapshot: LINK.fill(snapshot, self._uplink, self._control, self._kept.refused),
            "calls": lambda snapshot: CALLS.fill(snapshot, "grpc", self._calls),
        }

    def _taking(self, snapshot: Snapshot) -> None:
        INTAKE.fill(snapshot, self._intake)
        snapshot.add(GENERATION, self._kept.desired.generation)

    def _merging(self, snapshot: Snapshot) -> None:
        counters = self._sink.counters
        for cause, count in counters.sealed.items():
            snapshot.add(SEALED, count, cause.value)
        snapshot.add(DISCARDED, counters.discarded)
        snapshot.add(REFUSALS, counters.refusals)
        snapshot.add(HELD, self._sink.held_bytes)
        snapshot.add(PLANS, len(self._sink.lanes))
        snapshot.add(HELD_AGE, max((lane.open_s for lane in self._sink.lanes), default=0.0))
