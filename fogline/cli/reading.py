"""What the commands that talk to a server do: deploy, results, status, ledger."""

import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from fogline.cli import shapes, tables
from fogline.cli.exits import reported
from fogline.client.client import Client
from fogline.client.values import Result
from fogline.model.errors import InvalidInput


def deploy(client: "Server", file: Path, *, wait: bool, within: float, as_json: bool) -> None:
    """Deploy a spec; with ``wait`` return once every node runs it."""
    with reported(), client.connect() as cloud:
        spec = _read(file)
        deployed = cloud.deploy(spec, file=str(file))
        nodes = cloud.wait_until_applied(deployed.generation, within=within).nodes if wait else ()
    if as_json:
        sys.stdout.write(shapes.line(deployed))
        return
    what = "deployed" if deployed.changed else "was the newest plan already"
    sys.stdout.write(f"{deployed.pipeline}: plan {deployed.plan} {what}\n")
    if wait:
        sys.stdout.write(f"running on {', '.join(n.name for n in nodes if n.alive)}\n")


def results(
    client: "Server",
    pipeline: str,
    *,
    since: datetime | None,
    until: datetime | None,
    step: str,
    follow: bool,
    as_json: bool,
) -> None:
    """Print the results of a pipeline."""
    with reported(), client.connect() as cloud:
        ask = cloud.follow if follow else cloud.results
        found = ask(pipeline, since=since, until=until, step=step)
        if as_json:
            _print_lines(found)
        elif follow:
            tables.follow_results(found)
        else:
            tables.print_results(found)


def status(client: "Server", *, as_json: bool) -> None:
    """Print tiers, plans and their health."""
    with reported(), client.connect() as cloud:
        found = cloud.status()
    if as_json:
        sys.stdout.write(shapes.line(found))
    else:
        tables.print_status(found)


def ledger(client: "Server", pipeline: str, *, as_json: bool) -> None:
    """Print where every message and reading went."""
    with reported(), client.connect() as cloud:
        found = cloud.ledger(pipeline)
    if as_json:
        sys.stdout.writelines(shapes.line(stream) for stream in found)
    else:
        tables.print_ledger(found)


class Server:
    """Which server a command means: ``--server``, ``--dir``, or neither."""

    def __init__(self, address: str | None, directory: Path | None) -> None:
        self._address = address
        self._directory = directory

    def connect(self) -> Client:
        """Find it; the connection itself is made by the first call."""
        return Client(self._address, directory=self._directory)


def _print_lines(found: Iterable[Result]) -> None:
    for one in found:
        sys.stdout.write(shapes.line(one))
        # A follower's reader wants each change now.
        sys.stdout.flush()


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{file} cannot be read: {error}", hint="name a spec, a YAML file in UTF-8"
        ) from None
