"""What the dashboard counts, for Prometheus. docs/monitoring.md explains each."""

from collections.abc import Mapping
from typing import Final

from nicegui import Client

from cloud.dashboard.live.source import Live
from fogline.service.metrics import Kind, Metric, Snapshot, Source

BROWSERS: Final = Metric(
    name="fogline_dashboard_browsers",
    kind=Kind.GAUGE,
    help="Browser tabs that a page is kept up to date for.",
)
PAGES: Final = Metric(
    name="fogline_dashboard_pages",
    kind=Kind.GAUGE,
    help="Pages held in memory, also those whose browser went a short while ago.",
)
LOOKS: Final = Metric(
    name="fogline_dashboard_looks_total",
    kind=Kind.COUNTER,
    help="Times that the cloud was asked for all pages.",
)
CLOUD_ANSWERS: Final = Metric(
    name="fogline_dashboard_cloud_answers", kind=Kind.GAUGE, help="1 if the cloud answered when asked last."
)


class DashboardMetrics:
    """Reads the parts of one dashboard."""

    def __init__(self, live: Live) -> None:
        self._live: Final = live

    @property
    def sources(self) -> Mapping[str, Source]:
        """What is read together, by name."""
        return {"pages": self._pages, "live": self._looks}

    def _pages(self, snapshot: Snapshot) -> None:
        snapshot.add(BROWSERS, self._live.watchers)
        snapshot.add(PAGES, len(Client.instances))

    def _looks(self, snapshot: Snapshot) -> None:
        newest = self._live.newest
        snapshot.add(LOOKS, newest.number)
        snapshot.add(CLOUD_ANSWERS, float(newest.number > 0 and newest.lost is None))
