"""``fogline``: commands and flags. What a command does is imported when it runs, so that help is quick."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="fogline",
    help="One SQL pipeline across fog nodes, aggregators and the cloud.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

ServerOption = Annotated[
    str | None,
    typer.Option("--server", metavar="HOST:PORT", help="The cloud's gRPC address."),
]
DirOption = Annotated[
    Path | None,
    typer.Option(
        "--dir", metavar="DIR", help="The folder of a running `fogline up` [default: that of `up`]."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]


def _version(value: bool) -> None:  # noqa: FBT001 -- typer calls it so
    if value:
        from fogline import __version__

        typer.echo(f"fogline {__version__}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """One SQL pipeline across fog nodes, aggregators and the cloud."""


@app.command()
def deploy(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The pipeline's spec, YAML.")],
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Return once every node runs it.")] = False,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="How long --wait waits.")] = 60.0,
    server: ServerOption = None,
    directory: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a pipeline's spec and make it run."""
    from fogline.cli import reading

    reading.deploy(reading.Server(server, directory), file, wait=wait, within=timeout, as_json=as_json)


@app.command()
def results(
    pipeline: Annotated[str, typer.Argument(metavar="PIPELINE", help="The pipeline's name.")],
    *,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Windows that start at or after: RFC 3339, or ago as 15m, 2h."),
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Windows that start before.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with each change as it happens.")
    ] = False,
    step: Annotated[str, typer.Option(metavar="STEP", help="Only this window step.")] = "",
    server: ServerOption = None,
    directory: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a pipeline's windows, oldest first."""
    from fogline.cli import reading
    from fogline.cli.instants import instant_option

    reading.results(
        reading.Server(server, directory),
        pipeline,
        since=instant_option("--since", since),
        until=instant_option("--until", until),
        step=step,
        follow=follow,
        as_json=as_json,
    )


@app.command()
def ledger(
    pipeline: Annotated[str, typer.Argument(metavar="[PIPELINE]", help="Only this one.")] = "",
    *,
    server: ServerOption = None,
    directory: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show where every message and reading went, and that it adds up."""
    from fogline.cli import reading

    reading.ledger(reading.Server(server, directory), pipeline, as_json=as_json)


@app.command()
def status(*, server: ServerOption = None, directory: DirOption = None, as_json: JsonOption = False) -> None:
    """Show tiers, pipelines and their health."""
    from fogline.cli import reading

    reading.status(reading.Server(server, directory), as_json=as_json)


def main() -> None:
    """Entry point of the ``fogline`` command."""
    app()
