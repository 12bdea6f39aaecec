"""What nodes last said of their lanes."""

from collections.abc import Iterable

from cloud.api.ledger import LaneWord
from cloud.reported import bounded, origin_of
from fogline.v1 import control_pb2


def lane_words(reports: Iterable[bytes]) -> dict[str, list[LaneWord]]:
    """The lanes in serialised reports, by plan."""
    words: dict[str, list[LaneWord]] = {}
    for raw in reports:
        report = control_pb2.NodeReport.FromString(raw)
        journaled = {origin_of(j.origin): j.journaled for j in report.journals}
        for lane in report.lanes:
            origin = origin_of(lane.origin)
            if origin is None or origin not in journaled:
                continue
            word = LaneWord(
                origin=origin,
                journaled=bounded(journaled[origin]),
                start=bounded(lane.start),
                committed=bounded(lane.committed),
                pending=bounded(lane.pending),
            )
            words.setdefault(lane.plan, []).append(word)
    return words
