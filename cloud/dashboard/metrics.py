"""What the dashboard counts, for Prometheus. docs/monitoring.md explains each."""

from collections.abc import Mapping
from typing import Final

from nicegui import Client

from cloud.dashboard.desk import Desk
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
SESSIONS: Final = Metric(
    name="fogline_dashboard_sessions", kind=Kind.GAUGE, help="Browsers that are signed in."
)
LOOKS: Final = Metric(
    name="fogline_dashboard_looks_total",
    kind=Kind.COUNTER,
    help="Times that the cloud was asked for all pages of a person.",
)
CLOUD_ANSWERS: Final = Metric(
    name="fogline_dashboard_cloud_answers", kind=Kind.GAUGE, help="1 if the cloud answered when asked last."
)


class DashboardMetrics:
    """Reads the parts of one dashboard."""

    def __init__(self, desk: Desk) -> None:
        self._desk: Final = desk

    @property
    def sources(self) -> Mapping[str, Source]:
        """What is read together, by name."""
        return {"pages": self._pages, "live": self._looks}

    def _pages(self, snapshot: Snapshot) -> None:
        snapshot.add(BROWSERS, sum(live.watchers for live in self._desk.lives))
        snapshot.add(SESSIONS, len(self._desk.sessions))
        snapshot.add(PAGES, len(Client.instances))

    def _looks(self, snapshot: Snapshot) -> None:
        snapshot.add(LOOKS, self._desk.looks)
        snapshot.add(CLOUD_ANSWERS, float(self._desk.cloud_answers))
