"""``fogline doctor`` from the first look to the exit code."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import typer

from fogline.cli import shapes
from fogline.cli.access import NOTHING, Access
from fogline.cli.doctor import containers, machine, mosquitto, server, store
from fogline.cli.doctor.findings import Finding, Level
from fogline.cli.exits import Exit, reported
from fogline.cli.markup import escape
from fogline.cli.tables import make_console
from fogline.model.clock import SystemClock
from fogline.model.errors import InvalidInput

_MARKS: Final = {
    Level.OK: "[green]ok     [/]",
    Level.NOTE: "[dim]note   [/]",
    Level.WARNING: "[yellow]warning[/]",
    Level.PROBLEM: "[red]problem[/]",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What shall be looked at, beside this machine."""

    directory: Path
    node: Path | None = None
    """The settings file of a node on this machine, or its folder."""
    broker: str = field(default="", repr=False)
    access: Access = NOTHING
    """Whose certificate the broker must have, and what is shown to it."""
    mosquitto_conf: Path | None = None
    server: str = ""
    store: str = field(default="", repr=False)


def doctor(complaint: Complaint, *, as_json: bool) -> None:
    """Look, say what was found, and exit with 1 if there is a problem."""
    worst = Exit.DONE
    with reported():
        for finding in examine(complaint):
            if finding.level is Level.PROBLEM:
                worst = Exit.FAILED
            _print(finding, as_json=as_json)
    raise typer.Exit(worst)


def examine(complaint: Complaint) -> Iterable[Finding]:
    """Look at one thing after the other. Raises :class:`InvalidInput` for what names nothing."""
    yield from machine.judge(machine.look(complaint.directory))
    if complaint.node is None:
        yield from containers.judge(containers.look(), needed=False)
    else:
        yield from _node(complaint.node)
    if complaint.mosquitto_conf is not None:
        yield from mosquitto.judge(mosquitto.read(complaint.mosquitto_conf))
    if complaint.broker:
        yield from _broker(complaint.broker, complaint.access)
    if complaint.server:
        yield from server.judge(server.look(complaint.server, SystemClock()))
    if complaint.store:
        if not complaint.store.startswith(("postgresql://", "postgres://")):
            raise InvalidInput(
                "--store names no PostgreSQL", hint="write postgresql://USER@HOST:PORT/DATABASE"
            )
        yield from store.judge(store.look(complaint.store))


def _node(place: Path) -> Iterable[Finding]:
    from fogline.cli.doctor import node  # noqa: PLC0415 - needs what only machines with tiers have

    joined = node.look(node.settings_of(place), docker=containers.DOCKER)
    yield from containers.judge(containers.look(joined.docker), needed=True)
    yield from node.judge(joined, SystemClock())


def _broker(url: str, access: Access) -> Iterable[Finding]:
    try:
        from fogline.cli.doctor import broker, talk  # noqa: PLC0415 - needs paho, which only some extras have
    except ImportError:
        raise InvalidInput("no MQTT client is installed here", hint="`pip install 'fogline[all]'`") from None
    return broker.judge(talk.look(url, access))


def _print(finding: Finding, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(
            shapes.line(
                {
                    "area": finding.area,
                    "level": finding.level.value,
                    "said": finding.said,
                    "hint": finding.hint or None,
                }
            )
        )
        sys.stdout.flush()
        return
    console = make_console()
    console.print(f"{_MARKS[finding.level]} {escape(finding.area)}: {escape(finding.said)}", highlight=False)
    if finding.hint:
        console.print(f"          {escape(finding.hint)}", highlight=False)
