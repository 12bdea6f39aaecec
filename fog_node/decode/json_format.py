"""JSON payloads: one object, or an array of objects, a reading each.

The stream's paths become a tree of msgspec Structs, so that one typed pass in C yields the values and skips
all that no path names. Messages are decoded one by one: joining a batch saves an eighth of the time
(measured), and a payload could then borrow a bracket from its neighbour.
"""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final, TypeAlias

import msgspec

from fog_node.decode.rows import MALFORMED, WRONG_TYPE, DeadRow, RawRows
from fogline.model.plan import StreamSpec

# What a leaf may hold. Strict kinds (is it an int? is it in range?) are judged by column afterwards.
Number: TypeAlias = int | float | None
Text: TypeAlias = str | int | float | bool | None
Instant: TypeAlias = int | float | str | None

Tree: TypeAlias = dict[str, "Tree | Any"]


class JsonFormat:
    """Reads the values at a stream's paths."""

    def __init__(self, spec: StreamSpec) -> None:
        paths: list[tuple[tuple[str, ...], Any]] = [(f.path, Number) for f in spec.fields]
        paths += [(label.path, Text) for label in spec.labels if label.path]
        if spec.time is not None:
            paths.append((spec.time.path, Instant))
        row, names = _struct(paths)
        self._decode_row: Final = msgspec.json.Decoder(row).decode
        rows = row | list[row]  # type: ignore[valid-type]  # the type is made at run time
        self._decode_any: Final = msgspec.json.Decoder(rows).decode
        self._decode_items: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
        self._fields: Final = [_column(f.path, names) for f in spec.fields]
        self._labels: Final = [_column(label.path, names) for label in spec.labels if label.path]
        self._time: Final = _column(spec.time.path, names) if spec.time is not None else None

    def read(self, payloads: Sequence[bytes]) -> RawRows:
        dead: list[DeadRow] = []
        messages: Sequence[int] = range(len(payloads))
        try:
            rows = list(map(self._decode_row, payloads))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            rows, messages = self._read_each(payloads, dead)
        return RawRows(
            times=self._time(rows) if self._time is not None else [],
            fields=[column(rows) for column in self._fields],
            labels=[column(rows) for column in self._labels],
            messages=messages,
            dead=dead,
        )

    def _read_each(self, payloads: Sequence[bytes], dead: list[DeadRow]) -> tuple[list[Any], list[int]]:
        """The same, message by message: arrays are spread, and each mistake is told with its message."""
        rows: list[Any] = []
        messages: list[int] = []
        for index, payload in enumerate(payloads):
            try:
                read = self._decode_any(payload)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                found = self._salvage(index, payload, error, dead)
            else:
                found = read if isinstance(read, list) else [read]
            rows.extend(found)
            messages.extend([index] * len(found))
        return rows, messages

    def _salvage(self, index: int, payload: bytes, error: Exception, dead: list[DeadRow]) -> list[Any]:
        """The readable readings of an array in which one is not; nothing of anything else."""
        try:
            items = self._decode_items(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            dead.append(DeadRow(message=index, reason=_reason(error), detail=str(error)))
            return []
        found = []
        for item in items:
            try:
                found.append(self._decode_row(item))
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
                dead.append(DeadRow(message=index, reason=_reason(fault), detail=str(fault)))
        return found


def _reason(error: Exception) -> str:
    return WRONG_TYPE if isinstance(error, msgspec.ValidationError) else MALFORMED


def _struct(paths: Sequence[tuple[tuple[str, ...], Any]]) -> tuple[Any, dict[tuple[str, ...], str]]:
    """A Struct type with a leaf at every path, and for every path the attribute names that lead there.

    Two paths of which one leads through the other make a leaf that is both; such a leaf is read untyped.
    """
    tree: Tree = {}
    for path, kind in paths:
        _plant(tree, path, kind)
    names: dict[tuple[str, ...], str] = {}
    return _grow(tree, (), "", names), names


def _plant(tree: Tree, path: tuple[str, ...], kind: Any) -> None:
    branch = tree
    for name in path[:-1]:
        branch = branch.setdefault(name, {})
        _require(isinstance(branch, dict), path, "leads through a value that is read itself")
    leaf = branch.get(path[-1])
    _require(not isinstance(leaf, dict), path, "names an object through which another path leads")
    branch[path[-1]] = kind if leaf is None else leaf | kind


def _require(holds: bool, path: tuple[str, ...], otherwise: str) -> None:  # noqa: FBT001
    if not holds:
        raise ValueError(f"the path {'.'.join(path)} {otherwise}")


def _grow(tree: Tree, above: tuple[str, ...], attribute: str, names: dict[tuple[str, ...], str]) -> Any:
    members: list[tuple[str, Any, Any]] = []
    renames: dict[str, str] = {}
    for number, (name, below) in enumerate(tree.items()):
        member = f"m{number}"  # payload names need not be identifiers
        renames[member] = name
        reach = f"{attribute}.{member}" if attribute else member
        if isinstance(below, dict):
            branch = _grow(below, (*above, name), reach, names)
            members.append((member, branch | None, None))
        else:
            members.append((member, below, None))
            names[(*above, name)] = reach
    return msgspec.defstruct("Row", members, rename=renames, gc=False)


def _column(path: tuple[str, ...], names: dict[tuple[str, ...], str]) -> Callable[[list[Any]], list[Any]]:
    """What takes a column out of decoded rows."""
    attribute = names[path]
    if "." not in attribute:
        # Compiled for the attribute: a third of attrgetter's time. The name is ours (m0, m1, ...).
        source = f"lambda rows: [row.{attribute} for row in rows]"
        column: Callable[[list[Any]], list[Any]] = eval(source)  # noqa: S307  # nothing of a payload in it
        return column
    get = attrgetter(attribute)

    def through(row: Any) -> Any:
        try:
            return get(row)
        except AttributeError:  # an object on the way is absent or null
            return None

    return lambda rows: list(map(through, rows))
