"""Who asks: ``login``, ``logout``, ``whoami``, and ``api-token create|list|revoke``."""

from pathlib import Path
from typing import Annotated, Final

import typer

from fogline.cli.options import DirOption, JsonOption, ServerOption

app: Final = typer.Typer()
tokens: Final = typer.Typer(
    help="Make, list and revoke the tokens with which people and programs ask.", no_args_is_help=True
)
app.add_typer(tokens, name="api-token")

TenantOption = Annotated[
    str, typer.Option("--tenant", metavar="TENANT", help="Of another tenant; needs the right operate.")
]


@app.command()
def login(
    server: Annotated[str, typer.Argument(metavar="HOST:PORT", help="The cloud's gRPC address.")],
    *,
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Holds the API token [default: it is asked for, or read from stdin]."
        ),
    ] = None,
    ca: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="PEM file of the CA of the cloud's certificate [default: by the token]."
        ),
    ] = None,
) -> None:
    """Keep an API token, and use this cloud from now on when no other is named."""
    from fogline.cli import api_tokens

    api_tokens.login(server, token_file=token_file, ca=ca)


@app.command()
def logout(
    server: Annotated[
        str, typer.Argument(metavar="[HOST:PORT]", help="The cloud [default: that of the last login].")
    ] = "",
) -> None:
    """Forget a cloud and the token that was kept for it. The token itself goes on until it is revoked."""
    from fogline.cli import api_tokens

    api_tokens.logout(server)


@app.command()
def whoami(*, server: ServerOption = None, directory: DirOption = None, as_json: JsonOption = False) -> None:
    """Say as whom the cloud knows you, and what you may do there."""
    from fogline.cli import api_tokens
    from fogline.cli.server import Server

    api_tokens.whoami(Server(server, directory), as_json=as_json)


@tokens.command("create")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose it is, or for what.")],
    *,
    rights: Annotated[
        str,
        typer.Option(metavar="RIGHTS", help="Of read, deploy, exec, admit, metrics, operate; with commas."),
    ] = "read",
    tenant: TenantOption = "",
    expires: Annotated[
        str, typer.Option(metavar="TIME", help="How long it holds: 90d, 12h [default: until it is revoked].")
    ] = "",
    server: ServerOption = None,
    directory: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a token. It is printed now and never again."""
    from fogline.cli import api_tokens
    from fogline.cli.instants import span_option
    from fogline.cli.server import Server

    seconds = span_option("--expires", expires, days=3650) if expires else 0.0
    named = [word.strip() for word in rights.split(",") if word.strip()]
    api_tokens.create(
        Server(server, directory), name=name, rights=named, tenant=tenant, seconds=seconds, as_json=as_json
    )


@tokens.command("list")
def list_(
    *,
    tenant: TenantOption = "",
    server: ServerOption = None,
    directory: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the tokens, who made them and when they were used; their secrets are nowhere kept."""
    from fogline.cli import api_tokens
    from fogline.cli.server import Server

    api_tokens.show(Server(server, directory), tenant=tenant, as_json=as_json)


@tokens.command()
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As `fogline api-token list` shows it.")],
    *,
    server: ServerOption = None,
    directory: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Close a token: its calls are refused from now on, and its open streams end."""
    from fogline.cli import api_tokens
    from fogline.cli.server import Server

    api_tokens.revoke(Server(server, directory), token_id, as_json=as_json)
