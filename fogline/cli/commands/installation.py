"""What runs: ``status``, ``nodes``."""

from typing import Annotated

import typer

from fogline.cli.options import DirOption, JsonOption, ServerOption

app = typer.Typer()


@app.command()
def nodes(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME | retire NAME]", help="Show one node, or retire one that is gone for ever."
        ),
    ] = None,
    *,
    server: ServerOption = None,
    directory: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the fog nodes, show one, or retire one: windows stop waiting for it."""
    from fogline.cli import listing
    from fogline.cli.server import Server

    listing.nodes(Server(server, directory), words or [], as_json=as_json)


@app.command()
def status(*, server: ServerOption = None, directory: DirOption = None, as_json: JsonOption = False) -> None:
    """Show tiers, pipelines and their health."""
    from fogline.cli import reading
    from fogline.cli.server import Server

    reading.status(Server(server, directory), as_json=as_json)
