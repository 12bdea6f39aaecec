"""From a snapshot to the text that Prometheus reads, in the format that it asks for."""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Final

from prometheus_client import ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import (
    Metric as Family,
)

from fogline.service.histogram import Buckets
from fogline.service.metrics import Kind, Metric, Snapshot, Value

_PROCESS: Final = ProcessCollector(registry=None)


def encode(snapshot: Snapshot, accept: str) -> tuple[bytes, str]:
    """The text and its content type. Reads ``/proc`` for the process's own metrics, so it may block shortly."""
    encoder, content_type = choose_encoder(accept)
    return encoder(_Collected(snapshot)), content_type


class _Collected:
    """The library's idea of a registry."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot: Final = snapshot

    def collect(self) -> Iterator[Family]:
        for metric, series in self._snapshot.each():
            yield _family(metric, series.items())
        yield from _PROCESS.collect()


def _family(metric: Metric, series: Iterable[tuple[tuple[str, ...], Value]]) -> Family:
    if metric.kind is Kind.HISTOGRAM:
        histogram = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
        for labels, value in series:
            assert isinstance(value, Buckets)
            cumulated = accumulate(value.counts)
            bounds = [*(repr(bound) for bound in value.bounds), "+Inf"]
            histogram.add_metric(labels, list(zip(bounds, cumulated, strict=True)), value.total)
        return histogram
    plain = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    family = plain(metric.name, metric.help, labels=metric.labels)
    for labels, value in series:
        assert not isinstance(value, Buckets)
        family.add_metric(labels, value)
    return family
