"""What the dashboard may be told."""

from dataclasses import dataclass

from fogline.model.clock import SECOND
from fogline.service.listen import is_loopback
from fogline.service.settings import InvalidSettings
from fogline.service.units import Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardSettings:
    """The dashboard: shows an installation in the browser. It asks the cloud and keeps nothing."""

    name: str = "Fogline"
    """What the pages call the installation."""
    server: str = "127.0.0.1:7070"
    """The cloud's gRPC address, as host:port."""
    ca: str = ""
    """PEM file of the CA that the cloud's certificate is of; empty: by the fingerprint in each person's API token."""
    anonymous: bool = False
    """Nobody signs in, and the cloud is asked without a token: for a cloud with `anonymous`. Refused where other
    machines reach it."""
    listen: str = "127.0.0.1:8080"
    """Where browsers connect, as host:port."""
    metrics: str = ""
    """Where Prometheus finds /metrics, as host:port; empty for none."""
    insecure: bool = False
    """Allow addresses that other machines can reach, although nothing there is encrypted, tokens included."""
    stop_within: Duration = 5 * SECOND
    """Longest time that stopping in good order may take."""
    log_level: str = "info"
    """debug, info, warning or error."""

    def __post_init__(self) -> None:
        if self.anonymous and not is_loopback(self.listen):
            raise InvalidSettings([f"anonymous: not with listen = {self.listen}, which others reach"])
