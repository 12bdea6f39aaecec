"""Commands and flags of ``fogline token``, ``fogline node join|revoke`` and ``fogline aggregator join|revoke``."""

from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from fogline.cli.options import DirOption, JsonOption, ServerOption

Role = Literal["node", "aggregator"]

WORDS: Final = ("join", "revoke")
"""First words of ``fogline node`` and ``fogline aggregator`` that are not settings of the tier."""

token: Final = typer.Typer(
    name="token", help="Make, list and revoke the tokens with which machines join.", no_args_is_help=True
)


@token.command("create")
def create(
    *,
    name: Annotated[str, typer.Option(metavar="NAME", help="Name that the machine will have.")],
    role: Annotated[Role, typer.Option(help="What the machine will be.")] = "node",
    expires: Annotated[str, typer.Option(metavar="TIME", help="How long it can be used: 1h, 30m.")] = "1h",
    server: ServerOption = None,
    directory: DirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a token with which one machine joins once. It is printed now and never again."""
    from fogline.cli.instants import span_option
    from fogline.cli.join import tokens

    seconds = span_option("--expires", expires, days=30)
    tokens.create(server, directory, role=role, name=name, seconds=seconds, as_json=as_json)


@token.command("list")
def list_(*, server: ServerOption = None, directory: DirOption = None, as_json: JsonOption = False) -> None:
    """List the tokens and what became of them; their secrets are nowhere kept."""
    from fogline.cli.join import tokens

    tokens.show(server, directory, as_json=as_json)


@token.command()
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As `fogline token list` shows it.")],
    *,
    server: ServerOption = None,
    directory: DirOption = None,
) -> None:
    """Close a token: nobody joins with it any more. A machine that has joined goes on."""
    from fogline.cli.join import tokens

    tokens.revoke(server, directory, token_id)


def machine(role: Role) -> typer.Typer:
    """The commands of ``fogline node`` or ``fogline aggregator`` that concern its identity."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")

    @app.command()
    def join(
        address: Annotated[
            str, typer.Argument(metavar="HOST:PORT", help="Where the parent enrols: `enrol` in its settings.")
        ],
        *,
        token: Annotated[
            str,
            typer.Option(
                envvar="FOGLINE_JOIN_TOKEN",
                show_envvar=True,
                metavar="TOKEN",
                help="Of `fogline token create`.",
            ),
        ],
        name: Annotated[
            str, typer.Option(metavar="NAME", help="Name of this machine [default: as the token says].")
        ] = "",
        folder: Annotated[
            Path | None, typer.Option(metavar="FOLDER", help="Keeps identity, settings and data.")
        ] = None,
        start: Annotated[bool, typer.Option("--start", help="Go on as the tier at once.")] = False,
    ) -> None:
        """Get an identity for this machine, and settings to start with."""
        from fogline.cli.join import run

        run.join(run.Wishes(role=role, address=address, token=token, name=name, folder=folder, start=start))

    @app.command("revoke")
    def revoke_machine(
        name: Annotated[str, typer.Argument(metavar="NAME", help="Whose identity is taken back.")],
        *,
        server: ServerOption = None,
        directory: DirOption = None,
    ) -> None:
        """Take a machine's identity back: its streams end, and it is let in no more until it joins again."""
        from fogline.cli.join import tokens

        tokens.revoke_machine(server, directory, role=role, name=name)

    return app
