"""What the commands do that look into containers: containers, events, logs, top, exec."""

import math
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, Final

import typer
from rich.live import Live

from fogline.cli import container_tables, shapes
from fogline.cli.container_tables import Rates
from fogline.cli.exits import reported
from fogline.cli.server import Server
from fogline.client.client import Client
from fogline.client.containers import STDERR, LogChunk
from fogline.control.condensing import STATISTICS_EVERY_US
from fogline.model.clock import SECOND

CHUNK: Final = 32 * 1024
REPORTED_S: Final = STATISTICS_EVERY_US / SECOND + 0.5
_KEPT: Final = b"\t\n\r"
_SAFE: Final = bytes(
    code if (code >= 32 and code != 127) or code in _KEPT else ord("?") for code in range(256)
)
"""What a container writes must not steer the terminal that shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whose logs, and how much of them."""

    pipeline: str
    name: str
    node: str
    replica: int | None
    tail: int
    follow: bool


def containers(server: Server, pipeline: str, *, node: str, as_json: bool) -> None:
    """Print every container."""
    with reported(), server.connect() as client:
        found = client.containers(pipeline=pipeline, node=node)
        if as_json:
            sys.stdout.writelines(shapes.line(one) for one in found)
        else:
            container_tables.print_containers(list(found))


def events(server: Server, pipeline: str, *, node: str, as_json: bool) -> None:
    """Print what happened to containers."""
    with reported(), server.connect() as client:
        found = client.events(pipeline=pipeline, node=node)
        if as_json:
            sys.stdout.writelines(shapes.line(one) for one in found)
        else:
            container_tables.print_events(list(found))


def logs(server: Server, wanted: Wanted, *, as_json: bool) -> None:
    """Print what containers write, each line with its origin if there are several."""
    with reported(), server.connect() as client:
        several = _several(client, wanted)
        printer = Printer(several=several)
        with client.logs(
            wanted.pipeline,
            wanted.name,
            node=wanted.node,
            replica=wanted.replica,
            tail=wanted.tail,
            follow=wanted.follow,
        ) as chunks:
            for chunk in chunks:
                if as_json:
                    sys.stdout.write(shapes.line({**shapes.members(chunk), "data": _text(chunk.data)}))
                    sys.stdout.flush()
                else:
                    printer.show(chunk)
        printer.end()


def top(server: Server, node: str, *, once: bool, as_json: bool) -> None:
    """Show what containers use, about each second; elsewhere than on a terminal one table."""
    with reported(), server.connect() as client, client.usage(node, follow=True) as usages:
        if as_json:
            for sample in islice(usages, 1) if once else usages:
                sys.stdout.writelines(shapes.line(one) for one in sample)
                sys.stdout.flush()
            return
        rates, console = Rates(stale_s=0.0 if node else REPORTED_S), container_tables.make_console()
        if once or not console.is_terminal:
            # What was used between two samples is what is used now; nodes' reports have fresh numbers less often.
            for sample in islice(usages, 2 if node else math.ceil(REPORTED_S) + 2):
                table = container_tables.usage_table(sample, rates)
            console.print(table)
            return
        with Live(console=console, auto_refresh=False) as live:
            for sample in usages:
                live.update(container_tables.usage_table(sample, rates), refresh=True)


def execute(
    server: Server,
    node: str,
    name: str,
    command: Sequence[str],
    *,
    pipeline: str,
    replica: int | None,
    stdin: bool,
) -> None:
    """Run a command, feed it, print what it writes, and end as it ended."""
    with reported(), server.connect() as client:
        given = _stdin() if stdin else ()
        with client.exec(node, name, command, pipeline=pipeline, replica=replica, stdin=given) as execution:
            for chunk in execution:
                _write(sys.stderr.buffer if chunk.channel == STDERR else sys.stdout.buffer, chunk.data)
    raise typer.Exit(execution.exit_code or 0)


class Printer:
    """Prints chunks of several containers so that no line has parts of two."""

    def __init__(self, *, several: bool) -> None:
        self._several: Final = several
        self._begun: Final[dict[tuple[str, str, int, str], bytes]] = {}

    def show(self, chunk: LogChunk) -> None:
        """Print what is whole of a chunk."""
        place = (chunk.node, chunk.name, chunk.replica, chunk.channel)
        if chunk.dropped:
            sys.stderr.write(f"fogline: {_of(chunk)}: {chunk.dropped:,} bytes were left out\n")
        out = sys.stderr.buffer if chunk.channel == STDERR else sys.stdout.buffer
        if not self._several:
            _write(out, chunk.data)
        elif chunk.data:
            *whole, rest = (self._begun.pop(place, b"") + chunk.data).split(b"\n")
            self._begun[place] = rest
            _write(out, b"".join(f"{_of(chunk)} | ".encode() + line + b"\n" for line in whole))
        if chunk.fault:
            sys.stderr.write(f"fogline: {_of(chunk)}: {chunk.fault}\n")

    def end(self) -> None:
        """Print what has no end."""
        for (node, name, replica, _), rest in self._begun.items():
            if rest:
                _write(sys.stdout.buffer, f"{node}/{name}.{replica} | ".encode() + rest + b"\n")


def _several(client: Client, wanted: Wanted) -> bool:
    found = (
        one
        for one in client.containers(pipeline=wanted.pipeline, node=wanted.node)
        if wanted.name in ("", one.name) and wanted.replica in (None, one.replica)
    )
    return len(list(islice(found, 2))) > 1


def _of(chunk: LogChunk) -> str:
    return f"{chunk.node}/{chunk.name}.{chunk.replica}"


def _write(out: BinaryIO, data: bytes) -> None:
    if out.isatty():
        data = data.translate(_SAFE)
    out.write(data)
    out.flush()


def _stdin() -> Iterator[bytes]:
    # Not sys.stdin: the thread that reads may still wait in it when this program ends.
    while data := os.read(0, CHUNK):
        yield data


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
