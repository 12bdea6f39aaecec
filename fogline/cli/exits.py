"""Exit codes, and how an error of the tree becomes one."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Final

import typer

from fogline.client.errors import SpecRejected, TooSlow, Unreachable
from fogline.model.errors import FogError
from fogline.model.words import plain

MOST: Final = 4_000


class Exit(IntEnum):
    """What the exit code of a command says (docs/cli.md)."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    """Wrong usage (typer's own code, too), or mistakes in a spec."""
    UNREACHABLE = 3
    TOO_SLOW = 4
    INTERRUPTED = 130


@contextmanager
def reported() -> Iterator[None]:
    """Say on stderr what went wrong inside the block and what to do, and end with the code for it."""
    try:
        yield
    except FogError as error:
        say(error)
        raise typer.Exit(_code(error)) from None
    except KeyboardInterrupt:
        raise typer.Exit(Exit.INTERRUPTED) from None


def say(error: FogError) -> None:
    """Print an error and its hint on stderr; mistakes of a spec one a line, as file:line:column."""
    if isinstance(error, SpecRejected):
        sys.stderr.write("".join(f"{line}\n" for line in error.lines()))
    else:
        sys.stderr.write("".join(f"{place}\n" for place in error.places))
    # A server's words may be those of a container, or of whoever else it heard them from.
    sys.stderr.write(f"fogline: {_plain(error.message)} [{error.code}]\n")
    if error.hint:
        sys.stderr.write(f"  {_plain(error.hint)}\n")


def _plain(text: str) -> str:
    return "\n".join(plain(line, MOST) for line in text.splitlines())


def _code(error: FogError) -> Exit:
    match error:
        case SpecRejected():
            return Exit.USAGE
        case Unreachable():
            return Exit.UNREACHABLE
        case TooSlow():
            return Exit.TOO_SLOW
        case _:
            return Exit.FAILED
