"""``fogline node``, ``aggregator``, ``cloud``, ``dashboard``: this process becomes the tier's."""

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final

import typer

_NEEDED: Final = {
    "fog_node": ("numpy", "mqtt5", "cryptography"),
    "aggregator": ("numpy", "cryptography"),
    "cloud": ("numpy", "sqlalchemy", "sqlglot", "cryptography"),
    "cloud.dashboard": ("nicegui",),
}


def become(module: str, extra: str, arguments: Sequence[str]) -> None:
    """Replace this process by the tier's: it carries nothing of the command line in its memory."""
    if missing := [name for name in _NEEDED[module] if find_spec(name) is None]:
        sys.stderr.write(f"fogline: not installed: {', '.join(missing)}\n")
        sys.stderr.write(f"  `pip install 'fogline[{extra}]'` installs what this tier needs\n")
        raise typer.Exit(1)
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 -- no shell is wanted
