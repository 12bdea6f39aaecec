"""The command that serves an operator: finds it, serves it, ends the process."""

import argparse
import gc
import importlib
import os
import sys

from fogline.operator.function import Operator
from fogline.operator.server import DEFAULT_SOCKET, SOCKET, serve


def find(name: str) -> Operator:
    """Import an operator by ``module:function``; a plain function is taken as well. Exits with what is wrong."""
    module_name, _, attribute = name.partition(":")
    found = getattr(importlib.import_module(module_name), attribute or "operate", None)
    if isinstance(found, Operator):
        return found
    if callable(found):
        return Operator(function=found)
    sys.exit(f"{name}: there is no function {attribute or 'operate'!r} in {module_name}")


def run() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(
        prog="python -m fogline.operator",
        description=f"Serves an operator at the socket that {SOCKET} names.",
    )
    parser.add_argument("operator", metavar="module:function")
    parser.add_argument("--socket", default="", help=f"where; else as {SOCKET} says, or {DEFAULT_SOCKET}")
    given = parser.parse_args()
    operator = find(given.operator)
    gc.freeze()  # what was imported stays, also later
    gc.enable()
    code = serve(operator, given.socket)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # a function that hangs must not hold up the container
