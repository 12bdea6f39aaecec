"""``fogline node update``: commands and flags."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")


@app.command()
def update(
    *,
    wheel: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Install this wheel; what it needs may lie beside it.",
        ),
    ] = None,
    version: Annotated[
        str, typer.Option(metavar="VERSION", help="Install this release [default: the newest].")
    ] = "",
    folder: Annotated[
        Path, typer.Option("--prefix", metavar="FOLDER", help="Where deploy/install.sh put Fogline.")
    ] = Path("/opt/fogline"),
    within: Annotated[
        str, typer.Option(metavar="TIME", help="The new release must be up after so long, or goes.")
    ] = "2m",
    start: Annotated[
        bool,
        typer.Option(" /--no-start", help="Only switch: start nothing, and watch nothing."),
    ] = True,
) -> None:
    """Install another release beside the one that runs, switch to it, and return if it does not come up."""
    from fogline.cli.exits import reported
    from fogline.cli.instants import span_option
    from fogline.cli.update.environments import Environments, Release
    from fogline.cli.update.run import Update
    from fogline.cli.update.units import SystemdUnits

    if wheel is not None and version:
        raise typer.BadParameter("--wheel and --version name two releases")
    environments = Environments(folder)
    units = SystemdUnits([f"fogline-{tier}" for tier in environments.tiers]) if start else None
    seconds = span_option("--within", within)
    with reported():
        Update(
            environments=environments,
            release=Release(wheel=wheel, version=version),
            units=units,
            within_s=seconds,
        ).run(lambda step: typer.echo(f"{step.value} ..."))
