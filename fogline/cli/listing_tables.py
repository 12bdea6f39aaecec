"""What people see of pipelines, streams and nodes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.table import Table

from fogline.cli.markup import escape
from fogline.cli.tables import health, make_console, print_faults
from fogline.client.installation import Broker, Node
from fogline.client.values import PastRelease, Pipeline, Stream

_SHARES: Final = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def print_pipelines(pipelines: Sequence[Pipeline]) -> None:
    """Print a line for each pipeline."""
    table = Table("pipeline", "plan", "window steps", "release", "deployed (UTC)", "runs", box=SIMPLE_HEAD)
    for p in pipelines:
        also = [plan for plan in p.running if plan != p.plan]
        runs = "its plan" + (f", and {', '.join(also)}" if also else "")
        images = ", ".join(f"{one.name} {one.image.partition('@')[0]}" for one in p.images)
        release = f"{p.release}: {images}" if images else ""
        table.add_row(escape(p.name), p.plan, ", ".join(p.steps), escape(release), _second(p.deployed), runs)
    _show(table, otherwise="no pipeline yet; `fogline deploy FILE` deploys one")


def print_releases(releases: Sequence[PastRelease]) -> None:
    """Print a line for each release of each plan, the newest first."""
    table = Table("", "plan", "release", "deployed (UTC)", "the plan is", "images", box=SIMPLE_HEAD)
    for past in releases:
        images = ", ".join(f"{one.name} {one.image.partition('@')[0]}" for one in past.images)
        mark = "newest" if past.newest else ""
        number = str(past.release) if past.release else ""
        table.add_row(mark, past.plan, number, _second(past.deployed), past.stage, escape(images))
    _show(table, otherwise="nothing was deployed yet")


def print_streams(streams: Sequence[Stream]) -> None:
    """Print a line for each stream."""
    table = Table(
        "pipeline", "stream", "topic", "format", "time", "labels", "fields", box=SIMPLE_HEAD, show_lines=False
    )
    for name in ("journaled", "pending"):
        table.add_column(name, justify="right")
    table.add_column("nodes")
    for s in streams:
        table.add_row(
            escape(s.pipeline),
            escape(s.name),
            escape(s.topic),
            s.format,
            escape(s.time or "arrival"),
            escape(", ".join(s.labels)),
            escape(", ".join(s.fields)),
            f"{s.journaled:,}",
            f"{s.pending:,}",
            escape(", ".join(s.nodes)),
        )
    _show(table, otherwise="no stream yet; `fogline deploy FILE` deploys a pipeline with its streams")


def print_nodes(nodes: Sequence[Node]) -> None:
    """Print a line for each node."""
    table = Table("node", "health", "parent", "devices publish", box=SIMPLE_HEAD)
    for name in ("devices", "pending", "journal"):
        table.add_column(name, justify="right")
    table.add_column("brokers")
    table.add_column("seen (UTC)")
    for n in nodes:
        table.add_row(
            escape(n.name),
            health(n.alive, n.faults),
            escape(n.parent),
            escape(n.listener) or "no listener",
            f"{n.clients:,}",
            f"{n.pending:,}",
            _journal(n),
            ", ".join(_broker(b) for b in n.brokers),
            _second(n.seen),
        )
    _show(table, otherwise="no node has reported yet; `fogline node --help` says how to run one")
    print_faults((n.name, fault) for n in nodes for fault in n.faults)


def print_node(node: Node) -> None:
    """Print everything that is known of one node."""
    console = make_console()
    console.print(
        f"[bold]{escape(node.name)}[/] {health(node.alive, node.faults)}, seen {_second(node.seen)} UTC"
    )
    table = Table(box=None, show_header=False, pad_edge=False)
    rows = {
        "release": node.version,
        "parent": node.parent,
        "generation": f"{node.generation:,}",
        "devices publish": f"{node.listener or 'no listener'}, {node.clients:,} connected",
        "messages": f"{node.journaled:,} journaled, {node.pending:,} pending, {node.unrouted:,} of no stream",
        "journal": _journal(node),
    }
    for name, value in rows.items():
        table.add_row(f"  {name}", escape(value))
    console.print(table)
    for fault in node.faults:
        console.print(f"  [yellow]{escape(fault)}[/]", highlight=False)
    for b in node.brokers:
        dropped = "unknown" if b.dropped is None else f"{b.dropped:,}"
        console.print(
            f"  broker {_broker(b)}: {b.messages:,} messages, {b.reconnects:,} reconnects", soft_wrap=True
        )
        console.print(f"    dropped by the broker: {dropped}; sessions lost: {b.sessions_lost:,}")
        for warning in b.warnings:
            console.print(f"    [yellow]{escape(warning)}[/]", soft_wrap=True)
    for d in node.dead_letters:
        payload = d.payload.decode("utf-8", "backslashreplace")
        console.print(
            f"  dead letter of {escape(d.stream)}: {d.reason} ({escape(d.detail)}) on {escape(d.topic)}:"
            f" {escape(payload)}",
            soft_wrap=True,
        )


def _show(table: Table, *, otherwise: str) -> None:
    make_console().print(table if table.row_count else otherwise)


def _broker(broker: Broker) -> str:
    well = "[green]connected[/]" if broker.connected else "[red]away[/]"
    return f"{escape(broker.url)} {f'[yellow]{escape(broker.fault)}[/]' if broker.fault else well}"


def _journal(node: Node) -> str:
    return f"{_bytes(node.journal_bytes)} of {_bytes(node.journal_limit_bytes)}"


def _bytes(count: int) -> str:
    for size, unit in _SHARES:
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"


def _second(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
