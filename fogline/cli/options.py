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
PasswordFileOption = Annotated[
    Path | None,
    typer.Option("--password-file", metavar="FILE", help="Holds the password of the URL's user."),
]
CaOption = Annotated[
    Path | None,
    typer.Option(
        "--ca", metavar="FILE", help="PEM file of authorities for mqtts:// [default: the system's]."
    ),
]
CertificateOption = Annotated[
    Path | None, typer.Option("--certificate", metavar="FILE", help="PEM file of a certificate to show.")
]
KeyOption = Annotated[Path | None, typer.Option("--key", metavar="FILE", help="PEM file of its key.")]
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
