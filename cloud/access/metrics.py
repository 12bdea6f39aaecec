"""What the cloud counts of those who were not let in."""

from typing import Final

from cloud.access.desk import Desk
from cloud.access.door import GRPC
from fogline.model.errors import (
    TokenExpired,
    TokenMissing,
    TokenRevoked,
    TokenUnknown,
)
from fogline.service.metrics import Kind, Metric, Snapshot

REFUSED = Metric(
    name="fogline_cloud_access_refused_total",
    kind=Kind.COUNTER,
    help="Calls that were refused because nobody knows who asks, by what was wrong with the API token.",
    labels=("door", "reason"),
)
_REASONS: Final = {
    TokenMissing.code: "missing",
    TokenUnknown.code: "unknown",
    TokenExpired.code: "expired",
    TokenRevoked.code: "revoked",
}


def fill(snapshot: Snapshot, desk: Desk) -> None:
    """Put what a desk has counted."""
    for reason in _REASONS.values():
        snapshot.add(REFUSED, 0, GRPC, reason)
    for (door, code), count in desk.refused.items():
        snapshot.add(REFUSED, count, door, _REASONS[code])
