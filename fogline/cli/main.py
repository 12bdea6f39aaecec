"""``fogline``: one command line, put together from the modules in ``commands``."""

from pathlib import Path
from typing import Annotated

import typer

from fogline.cli.commands import (
    access,
    containers,
    doctor,
    installation,
    messages,
    operator,
    pipelines,
    results,
    signing,
    tiers,
    up,
)

app = typer.Typer(
    name="fogline",
    help="One SQL pipeline across fog nodes, aggregators and the cloud.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # in "rich", what stands in brackets is swallowed: mqtt[s]://, [default: ...]
)
for part in (
    up,
    access,
    pipelines,
    results,
    operator,
    containers,
    installation,
    messages,
    doctor,
    signing,
    tiers,
):
    app.add_typer(part.app)


def _version(value: bool) -> None:  # noqa: FBT001 -- typer calls it so
    if value:
        from fogline import __version__

        typer.echo(f"fogline {__version__}")
        raise typer.Exit


@app.callback()
def options(
    *,
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Holds the API token to show [default: FOGLINE_TOKEN, or of `login`, `up`]."
        ),
    ] = None,
    ca: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="PEM file of the CA that the cloud's certificate is of [default: FOGLINE_CA].",
        ),
    ] = None,
    version: Annotated[  # noqa: ARG001 - its callback has done it
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """One SQL pipeline across fog nodes, aggregators and the cloud."""
    if token_file is not None or ca is not None:
        from fogline.cli.exits import reported
        from fogline.cli.server import note_shown

        with reported():
            note_shown(token_file, ca)


def main() -> None:
    """Entry point of the ``fogline`` command."""
    app()
