"""What is deployed: ``deploy``, ``pipelines``, ``streams``."""

from pathlib import Path
from typing import Annotated

import typer

from fogline.cli.options import DirOption, JsonOption, ServerOption

app = typer.Typer()


@app.command()
def deploy(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The pipeline's spec, YAML.")],
    *,
    compose: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A Compose file whose containers run beside the steps."),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Return once every node runs it.")] = False,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="How long --wait waits.")] = 60.0,
    server: ServerOption = None,
    directory: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a pipeline's spec and make it run."""
    from fogline.cli import reading
    from fogline.cli.server import Server

    reading.deploy(
        Server(server, directory), file, compose=compose, wait=wait, within=timeout, as_json=as_json
    )


@app.command()
def pipelines(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Print the spec of this one.")] = "",
    *,
    server: ServerOption = None,
    directory: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what is deployed, or print a pipeline's spec."""
    from fogline.cli import listing
    from fogline.cli.server import Server

    listing.pipelines(Server(server, directory), name, as_json=as_json)


@app.command()
def releases(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The pipeline.")],
    *,
    server: ServerOption = None,
    directory: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what a pipeline has run, the newest first."""
    from fogline.cli import listing
    from fogline.cli.server import Server

    listing.releases(Server(server, directory), name, as_json=as_json)


@app.command()
def rollback(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The pipeline.")],
    *,
    to: Annotated[
        str,
        typer.Option(
            metavar="RELEASE", help="A release's number, a plan's name, or PLAN/NUMBER; else the one before."
        ),
    ] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Return once every node runs it.")] = False,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="How long --wait waits.")] = 60.0,
    server: ServerOption = None,
    directory: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Deploy again what a pipeline has run before."""
    from fogline.cli import reading
    from fogline.cli.server import Server

    reading.rollback(Server(server, directory), name, to, wait=wait, within=timeout, as_json=as_json)


@app.command()
def streams(
    pipeline: Annotated[str, typer.Argument(metavar="[PIPELINE]", help="Only those of this one.")] = "",
    *,
    server: ServerOption = None,
    directory: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the streams that the pipelines read, and how they go."""
    from fogline.cli import listing
    from fogline.cli.server import Server

    listing.streams(Server(server, directory), pipeline, as_json=as_json)
