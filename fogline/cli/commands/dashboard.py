"""``fogline dashboard link``."""

from typing import Annotated

import typer

from fogline.cli.options import DirOption, JsonOption, ServerOption

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")


@app.command()
def link(
    *,
    dashboard: Annotated[
        str, typer.Option(metavar="URL", help="Where the dashboard is [default: that of the `fogline up`].")
    ] = "",
    server: ServerOption = None,
    directory: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a link that signs a browser in as you, once, within five minutes."""
    from fogline.cli import dashboard_link

    dashboard_link.show(server, directory, dashboard, as_json=as_json)
