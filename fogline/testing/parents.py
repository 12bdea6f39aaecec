"""A parent and a child of real sockets in one process, for tests of what lies between."""

from collections.abc import Sequence
from random import Random

from fogline.intake.servicer import IntakeServicer
from fogline.intake.sink import PartSink
from fogline.model.clock import Clock, SystemClock
from fogline.model.protocol import SPOKEN, Spoken
from fogline.service.server import Server
from fogline.uplink.backoff import Backoff
from fogline.uplink.lanes import Lane, LaneSet
from fogline.uplink.settings import LinkSettings
from fogline.uplink.uplink import Uplink
from fogline.v1 import uplink_pb2_grpc

IMPATIENT = LinkSettings(tries=1, return_every=0.05, backoff=Backoff(base=0.01, cap=0.05))
"""For tests: every wait between two streams is some milliseconds."""


class Parent:
    """A server with nothing but an intake."""

    def __init__(
        self,
        sink: PartSink,
        *,
        name: str = "parent",
        credit_bytes: int = 1 << 20,
        listen: str = "127.0.0.1:0",
        spoken: Spoken = SPOKEN,
    ) -> None:
        self.intake = IntakeServicer(sink, parent=name, credit_bytes=credit_bytes, spoken=spoken)
        self.server = Server(listen=listen, grace_s=0.2)
        self.server.add(
            "fogline.v1.UplinkService",
            lambda server: uplink_pb2_grpc.add_UplinkServiceServicer_to_server(self.intake, server),
            end=self.intake.end_streams,
        )


def uplink_to(
    parents: Sequence[str],
    lanes: Sequence[Lane],
    *,
    child: str = "node-1",
    settings: LinkSettings = IMPATIENT,
    clock: Clock | None = None,
    spoken: Spoken = SPOKEN,
) -> Uplink:
    """An uplink that carries these lanes."""
    lane_set = LaneSet()
    for lane in lanes:
        lane_set.add(lane)
    return Uplink(
        parents=parents,
        child=child,
        lanes=lane_set,
        clock=clock or SystemClock(),
        rng=Random(7),  # noqa: S311 - jitter
        settings=settings,
        spoken=spoken,
    )
