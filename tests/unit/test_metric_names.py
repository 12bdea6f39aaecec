"""Every tier's metrics against Prometheus' conventions, and that their series stay few."""

import re
from types import ModuleType

import pytest

from aggregator import metrics as aggregator_metrics
from aggregator.images import metrics as image_metrics
from cloud import metrics as cloud_metrics
from cloud.access import metrics as access_metrics
from cloud.dashboard import metrics as dashboard_metrics
from fog_node import metrics as node_metrics
from fogline.identity import metrics as identity_metrics
from fogline.service import metrics_server
from fogline.service.metrics import Kind, Metric, declared

MODULES: tuple[ModuleType, ...] = (
    metrics_server,
    identity_metrics,
    node_metrics,
    aggregator_metrics,
    image_metrics,
    cloud_metrics,
    access_metrics,
    dashboard_metrics,
)
ALL = declared(*MODULES)
LABELS = {
    *("tier", "name", "version", "source", "reason", "stream", "pipeline", "role", "stage", "step", "status"),
    *("tenant", "node", "broker", "door", "method", "code", "cause"),
}
"""What a label may stand for. Topics, clients, devices, epochs, plans' hashes and parts have too many values."""


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
def test_a_name_says_unit_and_kind(metric: Metric) -> None:
    assert re.fullmatch(r"fogline(_[a-z]+)+", metric.name)
    assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
    assert not re.search(r"_(ms|us|milliseconds|kilobytes|mib|percent|minutes|count|sum)(_|$)", metric.name)
    assert not re.search(r"(gauge|counter|histogram)", metric.name)
    if metric.kind is Kind.HISTOGRAM:
        assert metric.name.endswith("_seconds")
    assert metric.help.endswith(".")
    assert set(metric.labels) <= LABELS


def test_no_two_tiers_use_one_name() -> None:
    names = [metric.name for module in MODULES for metric in declared(module)]
    assert len(names) == len(set(names))
    assert len(names) > 90
