"""What the commands do that list what there is: pipelines, streams, nodes."""

import sys
from collections.abc import Iterable
from typing import Any

import typer

from fogline.cli import container_tables, listing_tables, shapes
from fogline.cli.exits import reported
from fogline.cli.server import Server

RETIRE = "retire"


def pipelines(server: Server, name: str, *, as_json: bool) -> None:
    """Print every pipeline, or the spec of one."""
    with reported(), server.connect() as client:
        if not name:
            _print(client.pipelines(), listing_tables.print_pipelines, as_json=as_json)
            return
        found = client.pipeline(name)
    if as_json:
        sys.stdout.write(shapes.line(found))
    else:
        # A comment, so that what is printed is the spec and can be deployed again.
        sys.stdout.write(f"# {found.name}: plan {found.plan}, deployed {found.deployed:%Y-%m-%d %H:%M:%SZ}\n")
        for one in found.images:
            sys.stdout.write(f"# release {found.release}: {one.kind} {one.name} runs {one.image}\n")
        sys.stdout.write(f"{(found.spec or '').rstrip()}\n")


def releases(server: Server, name: str, *, as_json: bool) -> None:
    """Print what a pipeline has run."""
    with reported(), server.connect() as client:
        _print(client.releases(name), listing_tables.print_releases, as_json=as_json)


def streams(server: Server, pipeline: str, *, as_json: bool) -> None:
    """Print the streams of a pipeline, or of all."""
    with reported(), server.connect() as client:
        _print(client.streams(pipeline), listing_tables.print_streams, as_json=as_json)


def nodes(server: Server, words: list[str], *, as_json: bool) -> None:
    """Print every node, or one; or retire one."""
    match words:
        case []:
            with reported(), server.connect() as client:
                _print(client.nodes(), listing_tables.print_nodes, as_json=as_json)
        case [name] if name != RETIRE:
            with reported(), server.connect() as client:
                found = client.node(name)
                containers = [] if as_json else list(client.containers(node=name))
            if as_json:
                sys.stdout.write(shapes.line(found))
            else:
                listing_tables.print_node(found)
                container_tables.print_trouble(containers)
        case ["retire", name]:
            with reported(), server.connect() as client:
                client.retire_node(name)
            said = shapes.line({"name": name, "retired": True}) if as_json else f"{name} is retired\n"
            sys.stdout.write(said)
        case _:
            raise typer.BadParameter("write nothing, NAME, or `retire NAME`", param_hint="NAME")


def _print(found: Iterable[Any], table: Any, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.writelines(shapes.line(one) for one in found)
    else:
        table(list(found))
