"""A spec and a Compose file as one text, and mistakes told where they were written."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from fogline.client.errors import SpecRejected

_INDENT: Final = "  "


def joined(spec: str, compose: str) -> str:
    """The spec with the Compose file under ``compose:``."""
    lines = compose.removeprefix("\ufeff").splitlines()
    # A mark of a document's beginning cannot stand within another one; its line stays, so that lines are counted right.
    below = ["" if line.rstrip() == "---" else f"{_INDENT}{line}" for line in lines]
    return "\n".join((*spec.splitlines(), "compose:", *below, ""))


@contextmanager
def blamed(spec: str, compose: Path) -> Iterator[None]:
    """Tell mistakes behind the end of the spec as the Compose file's, once the spec itself has none."""
    before = len(spec.splitlines()) + 1
    try:
        yield
    except SpecRejected as error:
        if any(fault.line < before for fault in error.faults):
            raise
        faults = (
            replace(fault, line=max(fault.line - before, 1), column=max(fault.column - len(_INDENT), 1))
            for fault in error.faults
        )
        raise SpecRejected(tuple(faults), file=str(compose)) from None
