"""YAML text as a small tree in which every value knows its place.

Only shape is read here: texts, lists and tables. What a text means (a number, a duration) is decided where it
is used, so YAML's own guesses (``on`` is true, ``1:30`` is 90) never happen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import yaml

from fogline.model.faults import Faults, Place, SpecErrors, shown

MAX_CHARACTERS: Final = 262_144
MAX_DEPTH: Final = 16
MAX_VALUES: Final = 20_000
"""Values of a document once its aliases are written out: a bomb of aliases is small only as text."""

PLAIN_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq", "merge", "value")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextNode:
    """A scalar, as it is written."""

    place: Place
    text: str
    start: int
    """Index of its first character (quote or block mark) in the document."""
    style: str
    """Empty for a plain scalar, else its quote or block mark."""

    def place_at(self, index: int) -> Place:
        """Where a character of a text on one line stands; exact as long as nothing before it is escaped."""
        return Place(self.place.line, self.place.column + len(self.style) + index)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is written: YAML's null."""
        return not self.style and self.text in ("", "~", "null")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListNode:
    """A sequence."""

    place: Place
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableNode:
    """A mapping with texts as keys, in the order of the document."""

    place: Place
    entries: Mapping[str, "Node"]
    key_places: Mapping[str, Place]


Node = TextNode | ListNode | TableNode


def read_document(text: str, file: str, faults: Faults) -> Node:
    """Parse one YAML document; mistakes that do not keep the rest from being read go to ``faults``.

    Raises :class:`SpecErrors` if there is no tree: not YAML, too large, too deep.
    """
    try:
        return _Tree(faults).node(_composed(text), "", 0)
    except _Refused as refused:
        faults.add(refused.place, "", refused.message, refused.hint)
    except yaml.MarkedYAMLError as error:
        unclosed = "end of stream" in (error.problem or "")
        mark = (error.context_mark if unclosed else None) or error.problem_mark or error.context_mark
        words = ", ".join(part for part in (error.context, error.problem) if part)
        faults.add(_place(mark), "", f"not YAML: {words}", _hint(words))
    except yaml.reader.ReaderError as error:
        before = text[: error.position].split("\n")
        place = Place(len(before), len(before[-1]) + 1)
        faults.add(place, "", f"not YAML: {error.reason}", "remove the invisible character")
    raise SpecErrors(file, faults.found)


def _composed(text: str) -> yaml.Node:
    if len(text) > MAX_CHARACTERS:
        message = f"the spec has {len(text)} characters; at most {MAX_CHARACTERS} are read"
        raise _Refused(Place(1, 1), message, "split it into pipelines")
    root = yaml.compose(text, Loader=_Loader)
    if root is None:
        raise _Refused(Place(1, 1), "the spec is empty", "start with `name:`, `streams:` and `steps:`")
    return root


class _Refused(Exception):
    def __init__(self, place: Place, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.place = place
        self.message = message
        self.hint = hint


class _Loader(yaml.SafeLoader):
    """Composes nodes, and refuses deep nesting before it descends into it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._depth += 1
        if self._depth > MAX_DEPTH and self.check_event(yaml.CollectionStartEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave it out
            place = _place(event.start_mark)
            raise _Refused(place, f"nested deeper than {MAX_DEPTH} levels", "no spec needs that")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


class _Mark(Protocol):
    """PyYAML's position; its two implementations share no class."""

    line: int
    column: int


def _place(mark: _Mark | None) -> Place:
    return Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)


def _hint(words: str) -> str:
    if "\\t" in words:
        return "indent with blanks, not with tabs"
    if "single document" in words:
        return "one file holds one pipeline; remove the `---` and what follows"
    if "mapping values are not allowed" in words:
        return "a text with `: ` in it needs quotes; or the indentation is off"
    return "check indentation, quotes and brackets here"


class _Tree:
    """Turns composed nodes into ours, counting every value and every use of an alias."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._values = 0

    def node(self, node: yaml.Node, path: str, depth: int) -> Node:
        self._values += 1
        place = _place(node.start_mark)
        if self._values > MAX_VALUES or depth > MAX_DEPTH:
            raise _Refused(place, "aliases make this document too large or endless", "write the values out")
        if node.tag not in PLAIN_TAGS:
            self._faults.add(place, path, f"the tag {_tag(node.tag)} is not read", "remove it")
        if isinstance(node, yaml.ScalarNode):
            text = self._text(node.value, place, path)
            return TextNode(place=place, text=text, start=node.start_mark.index, style=node.style or "")
        if isinstance(node, yaml.SequenceNode):
            items = (
                self.node(item, f"{path}[{number}]", depth + 1) for number, item in enumerate(node.value)
            )
            return ListNode(place=place, items=tuple(items))
        return self._table(node, place, path, depth)

    def _table(self, node: yaml.Node, place: Place, path: str, depth: int) -> TableNode:
        entries: dict[str, Node] = {}
        key_places: dict[str, Place] = {}
        for key_node, value_node in node.value:
            key_place = _place(key_node.start_mark)
            if not isinstance(key_node, yaml.ScalarNode):
                self._faults.add(key_place, path, "a key must be a text", "write `name: value`")
                continue
            key = self._text(key_node.value, key_place, path)
            below = join(path, key)
            value = self.node(value_node, below, depth + 1)
            if key in entries:
                message = f"{shown(key)} is written twice; the first is in line {key_places[key].line}"
                self._faults.add(key_place, below, message, "keep one of them")
                continue
            entries[key] = value
            key_places[key] = key_place
        return TableNode(place=place, entries=entries, key_places=key_places)

    def _text(self, value: str, place: Place, path: str) -> str:
        """A scalar's text. JSON escapes a character beyond U+FFFF as two halves, and YAML leaves them apart."""
        if not any("\ud800" <= character <= "\udfff" for character in value):
            return value
        whole = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if whole.count("\ufffd") > value.count("\ufffd"):
            self._faults.add(place, path, "half a character is escaped here", "write the character itself")
        return whole


def _tag(tag: str) -> str:
    return shown(tag.replace("tag:yaml.org,2002:", "!!"))


def join(path: str, key: str) -> str:
    """The path of a key below a path."""
    return f"{path}.{key[:64]}" if path else key[:64]
