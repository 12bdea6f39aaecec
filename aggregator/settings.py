"""What an aggregator may be told."""

from dataclasses import dataclass, field
from pathlib import Path

from aggregator.images.settings import ImageSettings
from aggregator.merge.values import Limits
from fogline.model.clock import SECOND
from fogline.service.logs import LogFormat
from fogline.service.units import Duration, Size
from fogline.uplink.settings import LinkSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeSettings:
    """How parts of children become merged parts."""

    part: Size = 1024 * 1024
    """A merged part is sealed before it grows beyond this."""
    contributions: int = 1000
    """A merged part is sealed with this many contributions at the latest."""
    seal_after: Duration = SECOND
    """A merged part is sealed this long after it was begun at the latest."""
    in_flight: int = 4
    """Sealed parts of one plan that may wait for their ack; then children get no more credit."""

    def limits(self) -> Limits:
        """As the merging core takes them."""
        return Limits(
            part_bytes=self.part,
            part_contributions=self.contributions,
            seal_after_us=self.seal_after,
            in_flight=self.in_flight,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregatorSettings:
    """An aggregator: takes the parts of a group, merges them, sends them up."""

    name: str
    """Name of this aggregator; no other child of the same parents has it."""
    listen: str = "127.0.0.1:7072"
    """Where children connect, as host:port: both sides show certificates."""
    enrol: str = "127.0.0.1:7075"
    """Where nodes join and renew their certificates, as host:port."""
    advertise: str = ""
    """Where joining nodes are told to find `listen`, as host:port; empty: at the host where they joined."""
    parents: tuple[str, ...]
    """Where parts go, as host:port, the preferred parent first: the cloud or other aggregators."""
    folder: Path
    """Keeps the identity, which `fogline aggregator join` puts there, and the desired state, so that the group has it
    while the parents are away. Made if missing."""
    insecure: bool = False
    """Allow `metrics`, and with `plaintext` the children's port, where other machines can reach them."""
    plaintext: bool = False
    """Neither encrypt nor show certificates, on either side: for tests, and machines that nobody else uses."""
    metrics: str = ""
    """Where Prometheus finds /metrics, as host:port; empty for none."""
    credit: Size = 1024 * 1024
    """Bytes of parts that each child may have under way here: what bounds the memory."""
    stop_within: Duration = 10 * SECOND
    """Longest time that stopping in good order may take."""
    log_level: str = "info"
    """debug, info, warning or error."""
    log_format: LogFormat = "auto"
    """json, text, or auto: text on a terminal, JSON elsewhere."""
    merge: MergeSettings = field(default_factory=MergeSettings)
    """How parts of children become merged parts."""
    images: ImageSettings = field(default_factory=ImageSettings)
    """Images that are fetched once for the whole group."""
    link: LinkSettings = field(default_factory=LinkSettings)
    """How the parents are treated."""
