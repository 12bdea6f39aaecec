"""The overview: key figures, the map of the tiers, the newest windows."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from cloud.dashboard.live.meter import Measured
from cloud.dashboard.live.rates import total
from cloud.dashboard.live.snapshot import Snapshot
from cloud.dashboard.live.topics import NEWEST, StepWindows
from cloud.dashboard.view import health
from cloud.dashboard.view.links import node_link, pipeline_link
from cloud.dashboard.view.windows import window_json
from fogline.client.installation import Aggregator, Node, Status
from fogline.model.clock import from_datetime

Json = dict[str, Any]

MACHINES: Final = 8
"""Machines of a tier that the map shows; those that need attention come first."""


def figures(snapshot: Snapshot) -> list[Json]:
    """The figures on top."""
    status, measured = snapshot.status, snapshot.measured
    nodes = status.nodes if status else ()
    alive = sum(node.alive for node in nodes)
    return [
        {
            "name": "Messages in",
            "kind": "rate",
            "value": measured.messages.rate,
            "unit": "/s",
            "trend": measured.messages.trend,
        },
        {
            "name": "Readings committed",
            "kind": "rate",
            "value": measured.readings.rate,
            "unit": "/s",
            "trend": measured.readings.trend,
        },
        {
            "name": "Not committed yet",
            "kind": "number",
            "value": sum(node.pending for node in nodes) if status else None,
            "unit": "messages",
            "trend": measured.pending.trend,
        },
        {
            "name": "Nodes",
            "kind": "text",
            "value": f"{alive} of {len(nodes)}" if status else None,
            "unit": "alive",
            "note": f"{sum(node.clients for node in nodes)} devices connected" if status else "",
        },
    ]


def tiers(snapshot: Snapshot) -> Json:
    """The map."""
    status, measured = snapshot.status, snapshot.measured
    nodes = _worst_first(status.nodes) if status else []
    aggregators = _worst_first(status.aggregators) if status else []
    parts_in, parts_out = _between(status, measured)
    return {
        "label": f"{len(nodes)} nodes, {len(aggregators)} aggregators, one cloud",
        "devices": sum(node.clients for node in nodes) if status else None,
        "messages": measured.messages.rate,
        "nodes": [_node(node, measured) for node in nodes[:MACHINES]],
        "nodes_total": len(nodes),
        "parts_in": parts_in,
        "aggregators": [_aggregator(each, measured) for each in aggregators[:MACHINES]],
        "aggregators_total": len(aggregators),
        "parts_out": parts_out,
        "cloud": _cloud(snapshot),
    }


def newest(snapshot: Snapshot) -> Json:
    """The newest windows of the first window steps."""
    return {"steps": [_step(each) for each in snapshot.of(NEWEST) or ()]}


def concerns(snapshot: Snapshot) -> list[Json]:
    """What needs attention; the cloud's own absence has the banner."""
    return [
        {"level": each.level.name.lower(), "where": each.where, "what": each.what, "link": each.link}
        for each in health.concerns(snapshot)
        if each.where != "cloud"
    ][:MACHINES]


def _between(status: Status | None, measured: Measured) -> tuple[float | None, float | None]:
    """Parts a second from the nodes, and to the cloud: aggregators may stand under others."""
    if status is None or not status.aggregators:
        return measured.commits.rate, measured.commits.rate
    names = {each.name for each in status.aggregators}
    fed = [each.name for each in status.aggregators if not names & set(each.children)]
    top = [each.name for each in status.aggregators if each.parent not in names]
    return total(measured.parts_in.get(n) for n in fed), total(measured.parts_out.get(n) for n in top)


def _worst_first(machines: Iterable[Any]) -> list[Any]:
    return sorted(machines, key=lambda machine: -health.level_of(machine))


def _node(node: Node, measured: Measured) -> Json:
    pace = measured.nodes.get(node.name)
    return {
        "name": node.name,
        "link": node_link(node.name),
        "level": health.level_of(node).name.lower(),
        "alive": node.alive,
        "seen": from_datetime(node.seen),
        "rate": pace.rate if pace else None,
        "pending": node.pending,
        "behind": health.behind_us(node),
        "journal": node.journal_bytes,
        "limit": node.journal_limit_bytes,
        "full": health.fullness(node),
    }


def _aggregator(each: Aggregator, measured: Measured) -> Json:
    return {
        "name": each.name,
        "level": health.level_of(each).name.lower(),
        "alive": each.alive,
        "seen": from_datetime(each.seen),
        "children": len(each.children),
        "held": each.held_bytes,
        "in": measured.parts_in.get(each.name),
        "out": measured.parts_out.get(each.name),
    }


def _cloud(snapshot: Snapshot) -> Mapping[str, Any]:
    status = snapshot.status
    return {
        "level": "lost" if snapshot.lost else "good" if status else "unknown",
        "store": status.store if status else "",
        "readings": status.readings if status else None,
        "rate": snapshot.measured.readings.rate,
        "generation": status.generation if status else None,
    }


def _step(each: StepWindows) -> Json:
    windows = [window_json(window) for window in each.latest.windows]
    closed = [window for window in windows if window["status"] != "open"]
    return {
        "pipeline": each.pipeline,
        "step": each.step,
        "link": pipeline_link(each.pipeline),
        "windows": windows,
        "newest": next(reversed(closed or windows), None),
    }
