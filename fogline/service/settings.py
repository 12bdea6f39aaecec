"""Settings: read once, in a tier's ``main``, into one frozen value; all faults are told at once."""

import dataclasses
import tomllib
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import msgspec

from fogline.model.errors import InvalidInput
from fogline.model.faults import did_you_mean
from fogline.service.units import Unit, parse_duration, parse_seconds, parse_size

T = TypeVar("T")


class InvalidSettings(InvalidInput):
    """The settings cannot be used; every fault is listed."""

    code = "invalid_settings"

    def __init__(self, faults: Sequence[str]) -> None:
        lines = "".join(f"\n  - {fault}" for fault in faults)
        super().__init__(f"{len(faults)} fault{'s' if len(faults) > 1 else ''} in the settings:{lines}")
        self.faults: Final = tuple(faults)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One setting: its path through nested tables, and its type."""

    path: tuple[str, ...]
    kind: Any
    """Its type, with the unit if it has one."""
    required: bool
    owner: type[Any]
    """The dataclass that declares it."""

    @property
    def dotted(self) -> str:
        """As in a message: ``journal.quota``."""
        return ".".join(self.path)

    @property
    def flag(self) -> str:
        """On the command line: ``--journal-quota``."""
        return "--" + "-".join(self.path).replace("_", "-")

    def variable(self, tier: str) -> str:
        """In the environment: ``FOGLINE_NODE_JOURNAL_QUOTA``."""
        return "_".join(("FOGLINE", tier, *self.path)).upper()


def leaves(cls: type[Any], path: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """Every setting of a dataclass, nested ones included."""
    hints = typing.get_type_hints(cls, include_extras=True)
    for field in dataclasses.fields(cls):
        hint = hints[field.name]
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            yield from leaves(hint, (*path, field.name))
        else:
            defaults = (field.default, field.default_factory)
            yield Leaf((*path, field.name), hint, all(d is dataclasses.MISSING for d in defaults), cls)


def load(
    cls: type[T],
    *,
    tier: str,
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, str] | None = None,
) -> T:
    """Settings of a tier from a TOML file, ``FOGLINE_<TIER>_<FIELD>`` and flags; a later one of these wins.

    ``flags`` are given with their names, for example ``{"--listen": "127.0.0.1:0"}``. Raises
    :class:`InvalidSettings` with every fault: unknown names, wrong types, missing values.
    """
    known = tuple(leaves(cls))
    reader = _Reader(known, tier)
    if file is not None:
        reader.read_file(file)
    reader.read_texts(
        environment or {}, {leaf.variable(tier): leaf for leaf in known}, f"FOGLINE_{tier}_".upper()
    )
    reader.read_texts(flags or {}, {leaf.flag: leaf for leaf in known}, "--")
    for leaf in known:
        if leaf.required and leaf.path not in reader.seen:
            reader.faults.append(
                f"{leaf.dotted}: is missing; set it in the file, as {leaf.variable(tier)} or {leaf.flag}"
            )
    if reader.faults:
        raise InvalidSettings(reader.faults)
    return _built(cls, reader.values, ())


class _Reader:
    """Collects values and faults of all sources."""

    def __init__(self, known: Sequence[Leaf], tier: str) -> None:
        self._known: Final = {leaf.path: leaf for leaf in known}
        self._tier: Final = tier
        self.values: Final[dict[tuple[str, ...], Any]] = {}
        self.seen: Final[set[tuple[str, ...]]] = set()
        self.faults: Final[list[str]] = []

    def read_file(self, file: Path) -> None:
        try:
            with file.open("rb") as opened:
                content = tomllib.load(opened)
        except OSError as error:
            self.faults.append(f"{file}: cannot be read: {error.strerror}")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            self.faults.append(f"{file}: is not TOML: {error}")
        else:
            self._read_table(content, (), file)

    def _read_table(self, table: Mapping[str, Any], path: tuple[str, ...], file: object) -> None:
        for name, value in table.items():
            here = (*path, name)
            inside = any(known[: len(here)] == here and len(known) > len(here) for known in self._known)
            leaf = self._known.get(here)
            if leaf is not None and row_of(leaf.kind) is not None:
                self._take_rows(leaf, value, file)
            elif leaf is not None:
                self._take(leaf, value, f"{file}: {leaf.dotted}", text=False)
            elif inside and isinstance(value, dict):
                self._read_table(value, here, file)
            elif inside:
                self.faults.append(f"{file}: {'.'.join(here)}: is no table; write [{'.'.join(here)}]")
            else:
                near = {known[len(path)] for known in self._known if known[: len(path)] == path}
                self.faults.append(f"{file}: {'.'.join(here)}: {_no_such_setting(name, near)}")

    def read_texts(self, texts: Mapping[str, str], names: Mapping[str, Leaf], prefix: str) -> None:
        for name, text in texts.items():
            leaf = names.get(name)
            if leaf is not None:
                self._take(leaf, text, name, text=True)
            elif name.startswith(prefix):
                self.faults.append(f"{name}: {_no_such_setting(name, names, prefix)}")

    def _take_rows(self, leaf: Leaf, rows: Any, file: object) -> None:
        """Tables of one shape, one after the other: ``[[name]]`` in the file."""
        shape = row_of(leaf.kind)
        assert shape is not None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            self.faults.append(f"{file}: {leaf.dotted}: is no list of tables; write [[{leaf.dotted}]]")
            return
        built = []
        for number, row in enumerate(rows, start=1):
            inner = _Reader(tuple(leaves(shape)), self._tier)
            inner._read_table(row, (), f"{file}: {leaf.dotted} {number}")
            self.faults.extend(inner.faults)
            if not inner.faults:
                built.append(_built(shape, inner.values, ()))
        self.values[leaf.path] = tuple(built)

    def _take(self, leaf: Leaf, value: Any, place: str, *, text: bool) -> None:
        self.seen.add(leaf.path)
        try:
            self.values[leaf.path] = _converted(leaf.kind, value, text=text)
        except ValueError as error:  # msgspec's ValidationError is one
            said = f"{error}{_known(leaf.kind)}"
            self.faults.append(f"{place}: {said}" if repr(value) in said else f"{place}: {value!r}: {said}")


def row_of(kind: Any) -> type[Any] | None:
    """The dataclass of a setting that is a list of tables, which only a file can hold."""
    arguments = typing.get_args(kind)
    is_row = typing.get_origin(kind) is tuple and dataclasses.is_dataclass(arguments[0])
    return arguments[0] if is_row else None


def _converted(kind: Any, value: Any, *, text: bool) -> Any:
    if row_of(kind) is not None:
        raise ValueError("is a list of tables; write them into the file of --settings")
    unit = next((m for m in getattr(kind, "__metadata__", ()) if isinstance(m, Unit)), None)
    if unit is not None:
        if isinstance(value, str):
            return _PARSERS[unit.kind](value)
        if unit.kind == "microseconds":
            raise ValueError(f"{value!r} has no unit; write for example '500ms'")
    if text and typing.get_origin(kind) in (tuple, list):
        value = [item.strip() for item in value.split(",") if item.strip()]
    converted = msgspec.convert(value, kind, strict=not text, dec_hook=_foreign)
    if unit is not None and converted < 0:
        raise ValueError(f"{value!r} is below zero")
    return converted


def _no_such_setting(name: str, known: Iterable[str], prefix: str = "") -> str:
    return f"there is no such setting; {did_you_mean(name, known, prefix=prefix)}"


def _known(kind: Any) -> str:
    """The words that a setting may be made of, if it has only some."""
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) is Literal:
        return f"; known are {', '.join(arguments)}"
    return next((said for argument in arguments if (said := _known(argument))), "")


_PARSERS: Final[Mapping[str, Callable[[str], float]]] = {
    "bytes": parse_size,
    "microseconds": parse_duration,
    "seconds": parse_seconds,
}


def _foreign(kind: type[Any], value: Any) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise ValueError(f"{value!r} is no {kind.__name__}")


def _built(cls: type[T], values: Mapping[tuple[str, ...], Any], path: tuple[str, ...]) -> T:
    hints = typing.get_type_hints(cls, include_extras=True)
    given: dict[str, Any] = {}
    for field in dataclasses.fields(cls):  # type: ignore[arg-type] # T is a dataclass by this function's contract
        here = (*path, field.name)
        hint = hints[field.name]
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            given[field.name] = _built(hint, values, here)
        elif here in values:
            given[field.name] = values[here]
    return cls(**given)
