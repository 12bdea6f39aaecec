"""A folder with an operator: what it is called, which function it is, what goes into its image."""

import keyword
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fogline.model.errors import InvalidInput, NotFound

PROJECT: Final = "pyproject.toml"
REQUIREMENTS: Final = "requirements.txt"
DOCKERFILE: Final = "Dockerfile"
WHEELS: Final = "wheels"
BUILT: Final = "dist"

NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*", re.ASCII)
FUNCTION: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", re.ASCII)
TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
MAX_NAME: Final = 63

_LEFT_OUT: Final = {PROJECT, REQUIREMENTS, DOCKERFILE, WHEELS, BUILT, "README.md", "tests", "site"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """An operator before it is built."""

    folder: Path
    name: str
    version: str
    function: str
    """``module:function``."""
    requirements: tuple[str, ...]
    """What it needs besides the SDK, as pip reads it."""

    def files(self) -> Iterator[tuple[str, Path]]:
        """What belongs into the image, by its path below the folder, in an order that never changes."""
        for path in sorted(self.folder.rglob("*")):
            parts = path.relative_to(self.folder).parts
            hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
            test = path.name.startswith("test_") and path.suffix == ".py"
            if path.is_file() and not hidden and not test and parts[0] not in _LEFT_OUT:
                yield "/".join(parts), path


def check_operator_name(name: str) -> str:
    """The module of an operator of this name. Raises :class:`InvalidInput`."""
    module = name.replace("-", "_")
    if not NAME.fullmatch(name) or len(name) > MAX_NAME:
        hint = "lower-case letters, digits, - and _, a letter first; at most 63 characters"
        raise InvalidInput(f"{name!r} cannot name an operator", hint=hint)
    if module in sys.stdlib_module_names or keyword.iskeyword(module) or module in ("fogline", "numpy"):
        hint = f"Python knows a module of this name already: take another one, for example my-{name}"
        raise InvalidInput(f"{name!r} cannot name an operator", hint=hint)
    return module


def read_project(folder: Path) -> Project:
    """The operator in a folder. Raises :class:`NotFound` and :class:`InvalidInput`."""
    file = folder / PROJECT
    if not file.is_file():
        raise NotFound(
            f"there is no operator in {folder}",
            hint="`fogline operator new NAME` makes one; or name its folder",
        )
    try:
        told: dict[str, Any] = tomllib.loads(file.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read: {error}") from None
    project, ours = _table(told, "project"), _table(_table(_table(told, "tool"), "fogline"), "operator")
    name, version = str(project.get("name", "")), str(project.get("version", "0"))
    function = str(ours.get("function", ""))
    check_operator_name(name)
    if not TAG.fullmatch(version):
        raise InvalidInput(f"{file}: version {version!r} cannot be an image's tag")
    if not FUNCTION.fullmatch(function):
        hint = '[tool.fogline.operator] with function = "module:function"'
        raise InvalidInput(f"{file} does not say which function the operator is", hint=hint)
    module = folder.joinpath(*function.partition(":")[0].split("."))
    if not (module.with_suffix(".py").is_file() or (module / "__init__.py").is_file()):
        raise NotFound(f"{file} names {function}, and there is no {module.name}.py in {folder}")
    return Project(
        folder=folder,
        name=name,
        version=version,
        function=function,
        requirements=_requirements(folder / REQUIREMENTS),
    )


def _table(told: dict[str, Any], key: str) -> dict[str, Any]:
    found = told.get(key, {})
    return found if isinstance(found, dict) else {}


def _requirements(file: Path) -> tuple[str, ...]:
    if not file.is_file():
        return ()
    lines = (line.partition("#")[0].strip() for line in file.read_text().splitlines())
    return tuple(line for line in lines if line)
