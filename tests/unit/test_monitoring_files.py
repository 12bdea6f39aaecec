"""The rules, the board and the page about monitoring speak of metrics that exist, and of all of them."""

import json
import re
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from aggregator import metrics as aggregator_metrics
from aggregator.images import metrics as image_metrics
from cloud import metrics as cloud_metrics
from cloud.access import metrics as access_metrics
from cloud.dashboard import metrics as dashboard_metrics
from fog_node import container_metrics
from fog_node import metrics as node_metrics
from fogline.identity import metrics as identity_metrics
from fogline.service import metrics_server
from fogline.service.metrics import Kind, Metric, declared

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = PROMETHEUS / "rules" / "fogline.yml"
BOARD = ROOT / "deploy" / "grafana" / "dashboards" / "fogline.json"
PAGE = ROOT / "docs" / "monitoring.md"

MODULES: tuple[ModuleType, ...] = (
    metrics_server,
    identity_metrics,
    node_metrics,
    container_metrics,
    aggregator_metrics,
    image_metrics,
    cloud_metrics,
    access_metrics,
    dashboard_metrics,
)
METRICS = {metric.name: metric for metric in declared(*MODULES)}


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def queries() -> list[str]:
    panels = json.loads(BOARD.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", ())]


def shown(metric: Metric) -> set[str]:
    """The names of a metric's series."""
    if metric.kind is Kind.HISTOGRAM:
        return {f"{metric.name}_{part}" for part in ("bucket", "count", "sum")}
    return {metric.name}


def names_in(expression: str) -> set[str]:
    return set(re.findall(r"\bfogline_[a-z_]+", expression))


@pytest.mark.parametrize("expression", [rule["expr"] for rule in rules()] + queries())
def test_a_query_asks_for_metrics_and_labels_that_exist(expression: str) -> None:
    known = {name for metric in METRICS.values() for name in shown(metric)}
    assert names_in(expression) <= known
    labels = {"job", "instance", "le", *(label for metric in METRICS.values() for label in metric.labels)}
    grouped = re.findall(r"(?:by|on) \(([^)]*)\)", expression)
    assert {label.strip() for group in grouped for label in group.split(",")} <= labels


def test_every_alert_is_tested_and_explained() -> None:
    alerts = [rule for rule in rules() if "alert" in rule]
    tested = set(re.findall(r'alertname="(\w+)"', (PROMETHEUS / "tests" / "fogline.yml").read_text()))
    assert tested == {rule["alert"] for rule in alerts}
    headings = set(re.findall(r"^### (\w+)$", PAGE.read_text(), re.MULTILINE))
    assert headings >= tested
    for rule in alerts:
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["runbook"] == f"docs/monitoring.md#{rule['alert'].lower()}"


def test_the_page_has_every_metric_with_its_kind_and_labels() -> None:
    rows = re.findall(
        r"^\| `(fogline_\w+)` \| (\w+) \| ([^|]*) \| ([^|]+) \|$", PAGE.read_text(), re.MULTILINE
    )
    found = {
        name: (kind, labels.replace("`", "").strip(), words.strip()) for name, kind, labels, words in rows
    }
    said = {m.name: (m.kind.value, ", ".join(m.labels), m.help) for m in METRICS.values()}
    assert found == said


def test_the_boards_panels_do_not_overlap_and_say_what_they_show() -> None:
    panels = json.loads(BOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells: set[tuple[int, int]] = set()
    for panel in panels:
        assert panel["title"]
        place = panel["gridPos"]
        across = range(place["x"], place["x"] + place["w"])
        own = {(x, y) for x in across for y in range(place["y"], place["y"] + place["h"])}
        assert not own & cells
        assert max(x for x, _ in own) < 24
        cells |= own


@pytest.mark.needs("promtool")
@pytest.mark.parametrize(
    "command",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "rules/fogline.yml"),
        ("test", "rules", "tests/fogline.yml"),
    ],
    ids=" ".join,
)
def test_prometheus_own_tool_agrees(command: tuple[str, ...]) -> None:
    done = subprocess.run(["promtool", *command], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
