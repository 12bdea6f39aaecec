"""``fogline up``."""

from pathlib import Path
from typing import Annotated

import typer

from fogline.cli.options import BrokerOption, StoreOption

app = typer.Typer()


@app.command()
def up(
    *,
    directory: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="Keeps everything; the next `up` goes on.")
    ] = None,
    nodes: Annotated[
        int | None, typer.Option(min=1, max=100, metavar="N", help="Fog nodes [default: as before, else 2].")
    ] = None,
    sensors: Annotated[
        bool, typer.Option("--sensors/--no-sensors", help="Publish this machine's own sensors.")
    ] = True,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the dashboard.")] = True,
    pipeline: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Deploy this spec, beside the sensors' if they are on."),
    ] = None,
    broker: BrokerOption = "",
    store: StoreOption = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON on stdout when everything is ready.")
    ] = False,
) -> None:
    """Run every tier on this machine, with live readings of its own sensors."""
    from fogline.cli.passwords import hide_secrets
    from fogline.cli.up.run import Wishes
    from fogline.cli.up.run import up as run
    from fogline.client.find import default_directory

    hide_secrets()
    wishes = Wishes(
        directory=directory or default_directory(),
        nodes=nodes,
        sensors=sensors,
        browser=browser,
        pipeline=pipeline,
        as_json=as_json,
        broker=broker,
        store=store,
    )
    run(wishes)
