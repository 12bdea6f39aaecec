"""What the cache of images counts, for Prometheus. docs/monitoring.md explains each."""

from typing import Final

from aggregator.images.cache import ImageCache
from fogline.service.metrics import Kind, Metric, Snapshot

HELD = Metric(
    name="fogline_aggregator_image_cache_bytes",
    kind=Kind.GAUGE,
    help="Pieces of images on the aggregator's disk.",
)
ASKED = Metric(
    name="fogline_aggregator_image_requests_total",
    kind=Kind.COUNTER,
    help="Pieces that children asked for: here (hit), on their way for somebody else (joined), fetched for this one"
    " (miss), or not named by desired state (refused).",
    labels=("status",),
)
FETCHED = Metric(
    name="fogline_aggregator_image_fetched_bytes_total",
    kind=Kind.COUNTER,
    help="Bytes of pieces that came from the parent's cache or from registries.",
    labels=("source",),
)
SERVED = Metric(
    name="fogline_aggregator_image_served_bytes_total",
    kind=Kind.COUNTER,
    help="Bytes of pieces that children were sent.",
)
ERRORS = Metric(
    name="fogline_aggregator_image_errors_total",
    kind=Kind.COUNTER,
    help="Pieces that could not be had, by where from (parent, registry; disk: they could not be kept) and why.",
    labels=("source", "reason"),
)
EVICTED = Metric(
    name="fogline_aggregator_image_evicted_total",
    kind=Kind.COUNTER,
    help="Pieces that went to make room for others.",
)

OUTCOMES: Final = ("hit", "joined", "miss", "refused")
SOURCES: Final = ("parent", "registry")


def add_images(snapshot: Snapshot, cache: ImageCache) -> None:
    """Add what the cache has counted."""
    counters = cache.counters
    snapshot.add(HELD, cache.held_bytes)
    for outcome in OUTCOMES:
        snapshot.add(ASKED, counters.asked[outcome], outcome)
    for source in SOURCES:
        snapshot.add(FETCHED, counters.fetched_bytes[source], source)
    snapshot.add(SERVED, counters.served_bytes)
    for (source, reason), count in counters.errors.items():
        snapshot.add(ERRORS, count, source, reason)
    snapshot.add(EVICTED, cache.evicted)
