"""How long a tier's own certificate still holds, for Prometheus."""

from typing import Final

from fogline.identity.holder import Holder
from fogline.model.clock import SECOND, Clock
from fogline.service.metrics import Kind, Metric, Snapshot, Source

LEFT: Final = Metric(
    name="fogline_certificate_left_seconds",
    kind=Kind.GAUGE,
    help="Time until the tier's certificate ends, less than 0 after; none without an identity.",
)


def certificate_source(holder: Holder | None, clock: Clock) -> dict[str, Source]:
    """What is read of an identity, by name."""

    def fill(snapshot: Snapshot) -> None:
        if holder is not None:
            snapshot.add(LEFT, (holder.identity.until_us - clock.now_us()) / SECOND)

    return {"identity": fill}
