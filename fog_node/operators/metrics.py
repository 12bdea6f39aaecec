"""What operators did, for Prometheus. docs/monitoring.md explains each."""

from typing import Final

from fogline.model.clock import SECOND
from fogline.service.metrics import Kind, Metric, MetricGroup, Snapshot
from fogline.v1 import control_pb2

_STEP: Final = ("pipeline", "role", "step")


def _metric(name: str, kind: Kind, help_: str) -> Metric:
    return Metric(name=f"fogline_node_operator_{name}", kind=kind, help=help_, labels=_STEP)


class OperatorMetrics(MetricGroup):
    """The metrics of operator steps."""

    def __init__(self) -> None:
        self.batches: Final = _metric("batches_total", Kind.COUNTER, "Batches that an operator answered.")
        self.rows_in: Final = _metric(
            "input_rows_total", Kind.COUNTER, "Rows of the batches that were answered."
        )
        self.rows_out: Final = _metric("output_rows_total", Kind.COUNTER, "Rows of their answers.")
        self.busy: Final = _metric(
            "busy_seconds_total", Kind.COUNTER, "Time in which replicas had a batch, added up over replicas."
        )
        self.queued: Final = _metric("queued_batches", Kind.GAUGE, "Batches that wait or are under way.")
        self.replays: Final = _metric(
            "replays_total", Kind.COUNTER, "Batches that were given to a replica again."
        )
        self.given_up: Final = _metric(
            "given_up_messages_total", Kind.COUNTER, "Messages of blocks that were given up."
        )

    def fill(self, snapshot: Snapshot, report: control_pb2.StepReport, pipeline: str, role: str) -> None:
        """Read one step's report."""
        labels = (pipeline, role, report.step)
        snapshot.add(self.batches, report.batches, *labels)
        snapshot.add(self.rows_in, report.rows_in, *labels)
        snapshot.add(self.rows_out, report.rows_out, *labels)
        snapshot.add(self.busy, report.busy_us / SECOND, *labels)
        snapshot.add(self.queued, report.queued, *labels)
        snapshot.add(self.replays, report.replays, *labels)
        snapshot.add(self.given_up, report.quarantined_messages, *labels)
