"""Nodes, and one node in full."""

from typing import Any, Final

from cloud.dashboard.live.snapshot import Snapshot
from cloud.dashboard.view import health
from cloud.dashboard.view.links import node_link
from cloud.dashboard.view.table import Column, counted, table
from fogline.client.installation import Node
from fogline.model.clock import from_datetime

LETTERS: Final = 50
SHOWN_BYTES: Final = 160
"""Bytes of a dead letter's payload that are shown."""
WORDS: Final = {health.Level.GOOD: "well", health.Level.WARNING: "look", health.Level.BAD: "trouble"}

_COLUMNS: Final = (
    Column("Node", "link"),
    Column("Health", "badge"),
    Column("Messages/s", "rate"),
    Column("Pending", "number"),
    Column("Behind", "span"),
    Column("Journal", "bytes"),
    Column("Limit", "bytes"),
    Column("Devices", "exact"),
    Column("Brokers"),
    Column("Parent"),
    Column("Version"),
    Column("Heard of", "clock"),
)


def nodes(snapshot: Snapshot) -> dict[str, Any]:
    """Every node, those in trouble first."""
    status = snapshot.status
    rows = [
        [
            [node.name, node_link(node.name)],
            _badge(node),
            _rate(snapshot, node),
            node.pending,
            health.behind_us(node),
            node.journal_bytes,
            node.journal_limit_bytes,
            node.clients,
            _brokers(node),
            node.parent,
            node.version,
            from_datetime(node.seen),
        ]
        for node in sorted(status.nodes if status else (), key=lambda node: -health.level_of(node))
    ]
    empty = "No node yet. Start one with `fogline node --parents HOST:PORT`." if status else "Not known yet."
    return table(_COLUMNS, rows, empty=empty)


def known(snapshot: Snapshot, name: str) -> Node | None:
    """The node of this name."""
    nodes = snapshot.status.nodes if snapshot.status else ()
    return next((node for node in nodes if node.name == name), None)


def figures(snapshot: Snapshot, name: str) -> list[dict[str, Any]]:
    """A node's figures."""
    node = known(snapshot, name)
    if node is None:
        return []
    pace = snapshot.measured.nodes.get(name)
    limit = f"{health.fullness(node):.1%} of the limit"
    waits = f"{node.pending:,} messages pending"
    return [
        {
            "name": "Messages in",
            "kind": "rate",
            "value": pace.rate if pace else None,
            "unit": "/s",
            "trend": pace.trend if pace else (),
        },
        {"name": "Behind", "kind": "span", "value": health.behind_us(node), "unit": "", "note": waits},
        {"name": "Journal", "kind": "bytes", "value": node.journal_bytes, "unit": "", "note": limit},
        {
            "name": "Devices",
            "kind": "exact",
            "value": node.clients,
            "unit": "connected",
            "note": f"{node.unrouted:,} messages of no stream",
        },
    ]


def facts(snapshot: Snapshot, name: str) -> list[list[Any]]:
    """What there is to know of a node, as name, kind and value."""
    node = known(snapshot, name)
    if node is None:
        return []
    return [
        ["Version", "text", node.version],
        ["Parent", "text", node.parent],
        ["Listener", "mono", node.listener],
        ["Generation", "exact", node.generation],
        ["Heard of", "clock", from_datetime(node.seen)],
        ["Journal limit", "bytes", node.journal_limit_bytes],
    ]


def concerns(snapshot: Snapshot, name: str) -> list[dict[str, Any]]:
    """What is wrong at a node."""
    node = known(snapshot, name)
    return [
        {"level": each.level.name.lower(), "where": name, "what": each.what, "link": ""}
        for each in (health.node_concerns(node) if node else ())
    ]


def journals(snapshot: Snapshot, name: str) -> dict[str, Any]:
    """A node's journals."""
    node = known(snapshot, name)
    columns = (
        Column("Stream"),
        Column("Epoch", "mono"),
        Column("State"),
        Column("Received", "exact"),
        Column("Journaled", "exact"),
        Column("Refused", "list"),
        Column("Redelivered", "exact"),
        Column("Retained", "exact"),
        Column("Oldest kept", "exact"),
    )
    rows = [
        [
            each.stream,
            each.epoch.hex()[:8],
            "closed" if each.closed else "open",
            each.received,
            each.journaled,
            counted(tuple(each.refused.items())),
            each.redelivered,
            each.retained,
            each.base,
        ]
        for each in (node.journals if node else ())
    ]
    return table(columns, rows, empty="No stream is journaled here yet.")


def lanes(snapshot: Snapshot, name: str) -> dict[str, Any]:
    """How far each plan is on a node."""
    node = known(snapshot, name)
    columns = (
        Column("Plan", "mono"),
        Column("Stream"),
        Column("Epoch", "mono"),
        Column("Start", "exact"),
        Column("Committed", "exact"),
        Column("Pending", "exact"),
        Column("Gaps", "list"),
        Column("Seen up to", "clock"),
    )
    rows = [
        [
            each.plan,
            each.stream,
            each.epoch.hex()[:8],
            each.start,
            each.committed,
            each.pending,
            counted(tuple(each.gaps.items())),
            from_datetime(each.watermark) if each.watermark else None,
        ]
        for each in (node.lanes if node else ())
    ]
    return table(columns, rows, empty="No plan runs here yet.")


def brokers(snapshot: Snapshot, name: str) -> dict[str, Any]:
    """The brokers that a node reads from."""
    node = known(snapshot, name)
    columns = (
        Column("Broker", "mono"),
        Column("State", "badge"),
        Column("Share"),
        Column("Messages", "number"),
        Column("Reconnects", "exact"),
        Column("Sessions lost", "exact"),
        Column("Dropped", "value"),
        Column("To look at", "list"),
    )
    rows = [
        [
            each.url,
            ["good", "connected"] if each.connected else ["bad", "away"],
            each.share or "none",
            each.messages,
            each.reconnects,
            each.sessions_lost,
            "not said" if each.dropped is None else f"{each.dropped:,}",
            [*([each.fault] if each.fault else []), *each.warnings],
        ]
        for each in (node.brokers if node else ())
    ]
    return table(columns, rows, empty="This node reads from no broker.")


def letters(snapshot: Snapshot, name: str) -> dict[str, Any]:
    """A node's sample of dead letters, the newest first."""
    node = known(snapshot, name)
    columns = (
        Column("Arrived", "clock"),
        Column("Stream"),
        Column("Reason"),
        Column("Topic", "mono"),
        Column("What was wrong"),
        Column("Payload", "mono"),
    )
    newest = sorted(node.dead_letters if node else (), key=lambda letter: letter.arrival, reverse=True)
    rows = [
        [
            from_datetime(each.arrival),
            each.stream,
            each.reason,
            each.topic,
            each.detail,
            preview(each.payload),
        ]
        for each in newest[:LETTERS]
    ]
    return table(columns, rows, empty="None: every message could be used.")


def preview(payload: bytes) -> str:
    """The beginning of a payload as readable text; what is no text is written as escapes."""
    text = payload[:SHOWN_BYTES].decode("utf-8", "backslashreplace")
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    return shown + "…" * (len(payload) > SHOWN_BYTES)


def _badge(node: Node) -> list[str]:
    level = health.level_of(node)
    return [level.name.lower(), WORDS[level] if node.alive else "away"]


def _rate(snapshot: Snapshot, node: Node) -> float | None:
    pace = snapshot.measured.nodes.get(node.name)
    return pace.rate if pace else None


def _brokers(node: Node) -> str:
    if not node.brokers:
        return ""
    return f"{sum(broker.connected for broker in node.brokers)} of {len(node.brokers)}"
