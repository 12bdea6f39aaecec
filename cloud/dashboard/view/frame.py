"""What stands on every page: the installation's name, version and health."""

from typing import Any

from cloud.dashboard.live.snapshot import Snapshot
from cloud.dashboard.view.health import Level, concerns, worst
from fogline.model.clock import from_datetime


def state(snapshot: Snapshot) -> dict[str, Any]:
    """The line of health in the header, and the banner while the cloud is away."""
    status, lost = snapshot.status, snapshot.lost
    found = concerns(snapshot)
    return {
        "level": _level(snapshot, worst(found)),
        "words": _words(snapshot, len(found)),
        "version": status.version if status else "",
        "lost": lost and {"since": lost.since_us, "why": lost.why, "hint": lost.hint},
        "seen": from_datetime(status.at) if status else None,
    }


def _level(snapshot: Snapshot, level: Level) -> str:
    if snapshot.lost:
        return "lost"
    return level.name.lower() if snapshot.status else "unknown"


def _words(snapshot: Snapshot, found: int) -> str:
    if snapshot.lost:
        return "Cloud unreachable"
    if not snapshot.status:
        return "Connecting"
    if not found:
        return "All well"
    return f"{found} thing{'s' * (found > 1)} to look at"
