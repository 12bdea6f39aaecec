"""How the way to the parent stands, the same for nodes and aggregators but for the tier in the names."""

from collections.abc import Mapping
from typing import Final, Literal

from fogline.control.client import ControlClient
from fogline.service.metrics import Kind, Metric, MetricGroup, Snapshot
from fogline.uplink.uplink import Uplink


class LinkMetrics(MetricGroup):
    """The metrics of one tier's uplink and control stream."""

    def __init__(self, tier: Literal["node", "aggregator"]) -> None:
        def gauge(name: str, help_: str) -> Metric:
            return Metric(name=f"fogline_{tier}_{name}", kind=Kind.GAUGE, help=help_)

        def counter(name: str, help_: str) -> Metric:
            return Metric(name=f"fogline_{tier}_{name}_total", kind=Kind.COUNTER, help=help_)

        self.connected: Final = gauge("uplink_connected", "1 while a parent takes parts, else 0.")
        self.attached: Final = gauge("control_attached", "1 while a parent tells the desired state, else 0.")
        self.disbelieved: Final = Metric(
            name=f"fogline_{tier}_control_refused_total",
            kind=Kind.COUNTER,
            help="Words of a parent that were not believed: desired state, assignments.",
            labels=("reason",),
        )
        self.streams: Final = counter("uplink_streams", "Streams to a parent that were greeted.")
        self.moves: Final = counter("uplink_parent_changes", "Changes to another parent of the list.")
        self.parts: Final = counter("uplink_parts", "Parts that were sent up.")
        self.bytes: Final = counter("uplink_sent_bytes", "Bytes of parts that were sent up.")
        self.refusals: Final = counter("uplink_refusals", "Refusals: a lane began again at the store's word.")
        self.failures: Final = counter(
            "uplink_lane_failures", "Rounds of a plan's lane that failed and are tried again."
        )
        self.stuck: Final = gauge("uplink_stuck_plans", "Plans whose lane fails at present.")
        self.waited: Final = counter(
            "uplink_credit_wait_seconds", "Time in which a part waited until the parent had room."
        )
        self.silence: Final = gauge(
            "uplink_unanswered_seconds", "How long a part has waited for an answer; 0 if none does."
        )

    def fill(
        self, snapshot: Snapshot, uplink: Uplink, control: ControlClient, refused: Mapping[str, int]
    ) -> None:
        """Read an uplink and a control stream; ``refused``: words that were not believed, by reason."""
        for reason, count in refused.items():
            snapshot.add(self.disbelieved, count, reason)
        counters = uplink.counters
        snapshot.add(self.connected, bool(uplink.parent))
        snapshot.add(self.attached, control.attached)
        snapshot.add(self.streams, counters.streams)
        snapshot.add(self.moves, counters.moves)
        snapshot.add(self.parts, counters.parts)
        snapshot.add(self.bytes, counters.bytes)
        snapshot.add(self.refusals, counters.refusals)
        snapshot.add(self.failures, counters.failures)
        snapshot.add(self.stuck, len(uplink.faults))
        snapshot.add(self.waited, counters.credit_wait_s)
        snapshot.add(self.silence, uplink.silent_s)
