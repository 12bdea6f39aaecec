"""What the cloud may be told."""

from dataclasses import dataclass
from pathlib import Path

from fogline.model.clock import DAY, HOUR, SECOND
from fogline.service.units import Duration, Size


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudSettings:
    """The cloud: commits parts, finishes windows, answers questions."""

    name: str = "cloud"
    """Name that children see."""
    listen: str = "127.0.0.1:7070"
    """Where children and clients connect, as host:port."""
    dashboard: str = "127.0.0.1:8080"
    """Where the dashboard is served, as host:port; empty for none."""
    folder: Path
    """Holds the store. Made if it is not there."""
    insecure: bool = False
    """Allow addresses that other machines can reach, although nothing is encrypted or authenticated yet."""
    credit: Size = 4 * 1024 * 1024
    """Bytes of parts that each child may have under way here: what bounds the memory."""
    results_keep: Duration = 30 * DAY
    """How long results are kept after they last changed; never shorter than their windows can be revised."""
    replaced_keep: Duration = HOUR
    """How long a plan that was replaced goes on taking late readings for its last windows, at most."""
    stop_within: Duration = 10 * SECOND
    """Longest time that stopping in good order may take."""
    log_level: str = "info"
    """debug, info, warning or error."""
