"""``fogline``: one command line, put together from the modules in ``commands``."""

from typing import Annotated

import typer

from fogline.cli.commands import (
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
for part in (up, pipelines, results, operator, containers, installation, messages, doctor, signing, tiers):
    app.add_typer(part.app)


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


def main() -> None:
    """Entry point of the ``fogline`` command."""
    app()
