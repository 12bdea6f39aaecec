"""What the commands that talk to a server do: deploy, results, status, ledger."""

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from fogline.cli import container_tables, shapes, tables
from fogline.cli.composing import blamed, joined
from fogline.cli.exits import reported
from fogline.cli.server import Server
from fogline.client.following import Following
from fogline.client.installation import Node
from fogline.client.values import Deployment
from fogline.model.errors import InvalidInput


def deploy(
    server: Server, file: Path, *, compose: Path | None, wait: bool, within: float, as_json: bool
) -> None:
    """Deploy a spec, with the containers of a Compose file; with ``wait`` return once every node runs it."""
    with reported(), server.connect() as client:
        spec = _read(file)
        if compose is None:
            deployed = client.deploy(spec, file=str(file))
        else:
            with blamed(spec, compose):
                deployed = client.deploy(joined(spec, _read(compose)), file=str(file))
        nodes = client.wait_until_applied(deployed.generation, within=within).nodes if wait else ()
    _say(deployed, nodes, as_json=as_json)


def rollback(server: Server, name: str, to: str, *, wait: bool, within: float, as_json: bool) -> None:
    """Deploy again what a pipeline has run before; with ``wait`` return once every node runs it."""
    with reported(), server.connect() as client:
        deployed = client.rollback(name, to)
        nodes = client.wait_until_applied(deployed.generation, within=within).nodes if wait else ()
    _say(deployed, nodes, as_json=as_json)


def _say(deployed: Deployment, nodes: Sequence[Node], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(shapes.line(deployed))
        return
    what = "deployed" if deployed.changed else "was the newest plan already"
    release = f" release {deployed.release}" if deployed.release else ""
    sys.stdout.write(f"{deployed.pipeline}: plan {deployed.plan}{release} {what}\n")
    if nodes:
        sys.stdout.write(f"running on {', '.join(n.name for n in nodes if n.alive)}\n")


def results(
    server: Server,
    pipeline: str,
    *,
    since: datetime | None,
    until: datetime | None,
    step: str,
    follow: bool,
    resume: str,
    as_json: bool,
) -> None:
    """Print the results of a pipeline; a token to ``resume`` at belongs to following."""
    with reported(), server.connect() as client:
        if follow or resume:
            found = client.follow(pipeline, since=since, until=until, step=step, resume_token=resume)
            if as_json:
                _print_changes(found)
            else:
                tables.follow_results(found)
            return
        read = client.results(pipeline, since=since, until=until, step=step)
        if as_json:
            sys.stdout.writelines(shapes.line(one) for one in read)
        else:
            tables.print_results(read)


def status(server: Server, *, as_json: bool) -> None:
    """Print tiers, plans and their health."""
    with reported(), server.connect() as client:
        found = client.status()
        if as_json:
            sys.stdout.write(shapes.line(found))
            return
        containers = list(client.containers())
    tables.print_status(found)
    container_tables.print_trouble(containers)


def ledger(server: Server, pipeline: str, *, as_json: bool) -> None:
    """Print where every message and reading went."""
    with reported(), server.connect() as client:
        found = client.ledger(pipeline)
    if as_json:
        sys.stdout.writelines(shapes.line(line) for line in (*found.streams, *found.brokers))
    else:
        tables.print_ledger(found)


def _print_changes(found: Following) -> None:
    for batch in found.batches():
        *others, last = batch.results
        sys.stdout.writelines(shapes.line(one) for one in others)
        # The last line of a batch says where to go on behind it: a reader that keeps it misses and repeats nothing.
        sys.stdout.write(shapes.line({**shapes.members(last), "resume_token": batch.resume_token}))
        # A follower's reader wants each change now.
        sys.stdout.flush()


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{file} cannot be read: {error}", hint="name a spec, a YAML file in UTF-8"
        ) from None
