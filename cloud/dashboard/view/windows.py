"""Windows as the browser draws them."""

from typing import Any

from fogline.client.values import Window
from fogline.model.clock import from_datetime

MISSING = 20
"""Names of missing nodes that are said; the rest is a number."""


def window_json(window: Window) -> dict[str, Any]:
    """One window."""
    return {
        "start": from_datetime(window.start),
        "end": from_datetime(window.end),
        "status": window.status.value,
        "have": window.have,
        "expected": window.expected,
        "missing": window.missing[:MISSING],
        "revision": window.revision,
        "keys": window.keys,
        "readings": window.readings,
    }
