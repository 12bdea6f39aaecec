"""Flags that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

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
BrokerOption = Annotated[
    str,
    typer.Option(
        "--broker",
        envvar="FOGLINE_UP_BROKER",
        show_envvar=False,
        metavar="URL",
        help="A broker to read from: mqtt[s]://[USER:PASSWORD@]HOST:PORT.",
    ),
]
StoreOption = Annotated[
    str,
    typer.Option(
        "--store",
        envvar="FOGLINE_CLOUD_STORE",
        show_envvar=False,
        metavar="URL",
        help="Where results are kept: postgresql://USER:PASSWORD@HOST:PORT/DATABASE [default: SQLite].",
    ),
]
