"""A tier's command line: ``--settings FILE`` and a flag for every setting."""

import argparse
import ast
import inspect
import os
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from fogline.model.faults import shown
from fogline.service.settings import InvalidSettings, leaves, load, row_of

T = TypeVar("T")


def settings_from(
    cls: type[T], *, tier: str, arguments: Sequence[str], environment: Mapping[str, str] | None = None
) -> T:
    """Settings from a command line and the environment. Raises :class:`InvalidSettings`.

    ``--help`` ends the process, as command lines do.
    """
    parser = _Parser(
        prog=f"fogline {tier}",
        description=inspect.getdoc(cls),
        epilog=f"Every flag may also be set as FOGLINE_{tier.upper()}_... or in the file of --settings.",
        allow_abbrev=False,
    )
    parser.add_argument("--settings", metavar="FILE", type=Path, help="a TOML file with settings")
    for leaf in leaves(cls):
        if row_of(leaf.kind) is not None:
            continue
        parser.add_argument(
            leaf.flag,
            dest=leaf.flag,
            metavar="VALUE",
            nargs="?" if leaf.kind is bool else None,
            const="true" if leaf.kind is bool else None,
            help=docstrings(leaf.owner).get(leaf.path[-1], "").replace("%", "%%"),
        )
    known, unknown = parser.parse_known_args(arguments)
    parsed = vars(known)
    file = parsed.pop("settings")
    flags = {name: value for name, value in parsed.items() if value is not None}
    # Flags that nobody knows are refused with all other faults; a word after one may be its value.
    foreign = {word.partition("=")[0]: "" for word in unknown if word.startswith("--")}
    if unknown and not foreign:
        parser.error(f"{shown(unknown[0])} belongs to no flag")
    flags |= foreign
    return load(
        cls, tier=tier, file=file, environment=os.environ if environment is None else environment, flags=flags
    )


class _Parser(argparse.ArgumentParser):
    """Faults are told like those of the file and the environment, without a page of flags above them."""

    def error(self, message: str) -> NoReturn:
        raise InvalidSettings((f"{message}; `{self.prog} --help` lists the flags",))


def docstrings(cls: type[Any]) -> dict[str, str]:
    """What stands below each field of a dataclass: a setting explains itself in one place."""
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    assert isinstance(body, ast.ClassDef)
    told = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        ):
            told[field.target.id] = " ".join(str(text.value.value).split())
    return told
