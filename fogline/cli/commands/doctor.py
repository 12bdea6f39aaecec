"""``fogline doctor``."""

from pathlib import Path
from typing import Annotated

import typer

from fogline.cli.options import BrokerOption, JsonOption, StoreOption

app = typer.Typer()


@app.command()
def doctor(
    *,
    directory: Annotated[
        Path | None,
        typer.Option("--dir", metavar="DIR", help="Where data shall lie [default: that of `up`]."),
    ] = None,
    broker: BrokerOption = "",
    mosquitto_conf: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A mosquitto's configuration.")
    ] = None,
    server: Annotated[str, typer.Option(metavar="HOST:PORT", help="A cloud's gRPC address.")] = "",
    store: StoreOption = "",
    as_json: JsonOption = False,
) -> None:
    """Look at this machine, a broker, a server, a store, and say what to do. Exit code 1: there is a problem."""
    from fogline.cli.doctor.run import Complaint
    from fogline.cli.doctor.run import doctor as run
    from fogline.cli.passwords import hide_secrets
    from fogline.client.find import default_directory

    hide_secrets()
    run(
        Complaint(
            directory=directory or default_directory(),
            broker=broker,
            mosquitto_conf=mosquitto_conf,
            server=server,
            store=store,
        ),
        as_json=as_json,
    )
