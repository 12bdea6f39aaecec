"""The keys that sign desired state: ``signing-key list``, ``signing-key rotate``."""

from typing import Final

import typer

from fogline.cli.options import DirOption, JsonOption, ServerOption

app: Final = typer.Typer()
keys: Final = typer.Typer(help="List and rotate the keys that sign desired state.", no_args_is_help=True)
app.add_typer(keys, name="signing-key")


@keys.command("list")
def list_(*, server: ServerOption = None, directory: DirOption = None, as_json: JsonOption = False) -> None:
    """List the keys; the last one signs."""
    from fogline.cli import signing

    signing.show(server, directory, as_json=as_json)


@keys.command()
def rotate(*, server: ServerOption = None, directory: DirOption = None, as_json: JsonOption = False) -> None:
    """Sign with a new key from now on; machines that know the one before follow, also those that are away."""
    from fogline.cli import signing

    signing.rotate(server, directory, as_json=as_json)
