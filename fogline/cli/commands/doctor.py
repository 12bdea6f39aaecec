"""``fogline doctor``."""

from pathlib import Path
from typing import Annotated

import typer

from fogline.cli.options import (
    BrokerOption,
    CaOption,
    CertificateOption,
    JsonOption,
    KeyOption,
    PasswordFileOption,
    StoreOption,
)

app = typer.Typer()


@app.command()
def doctor(
    *,
    directory: Annotated[
        Path | None,
        typer.Option("--dir", metavar="DIR", help="Where data shall lie [default: that of `up`]."),
    ] = None,
    node: Annotated[
        Path | None,
        typer.Option(
            "--node", metavar="FILE", help="A node's settings, or their folder [default: where it joined]."
        ),
    ] = None,
    broker: BrokerOption = "",
    password_file: PasswordFileOption = None,
    ca: CaOption = None,
    certificate: CertificateOption = None,
    key: KeyOption = None,
    mosquitto_conf: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A mosquitto's configuration.")
    ] = None,
    server: Annotated[str, typer.Option(metavar="HOST:PORT", help="A cloud's gRPC address.")] = "",
    store: StoreOption = "",
    as_json: JsonOption = False,
) -> None:
    """Look at this machine and what runs on it, a broker, a server, a store. Exit code 1: there is a problem."""
    from fogline.cli.access import Access
    from fogline.cli.doctor.run import Complaint
    from fogline.cli.doctor.run import doctor as run
    from fogline.cli.join.places import joined
    from fogline.cli.passwords import hide_secrets
    from fogline.client.find import default_directory

    hide_secrets()
    run(
        Complaint(
            directory=directory or default_directory(),
            node=node or joined(),
            broker=broker,
            access=Access(password_file=password_file, ca=ca, certificate=certificate, key=key),
            mosquitto_conf=mosquitto_conf,
            server=server,
            store=store,
        ),
        as_json=as_json,
    )
