"""A table of the spec while it is being read: which keys it may have, and what their values are."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from fogline.model.faults import Faults, Place, did_you_mean, shown
from fogline.spec.document import ListNode, Node, TableNode, TextNode, join

WORD: Final = re.compile(r"[\w.-]*")
SPLIT: Final = "inside { } a comma ends a text: put the text before it into quotes"

Choice = TypeVar("Choice", bound=str)


class Section:
    """One table. What is asked for and is not there, or is not what it should be, becomes a fault."""

    def __init__(self, table: TableNode, place: Place, path: str, faults: Faults) -> None:
        self.table: Final = table
        self.place: Final = place
        """Where the key stands whose value this table is."""
        self.path: Final = path
        self.faults: Final = faults

    def __contains__(self, key: str) -> bool:
        return key in self.table.entries

    def only(
        self,
        known: Sequence[str],
        later: Mapping[str, str] | None = None,
        misplaced: Mapping[str, str] | None = None,
    ) -> None:
        """Refuse keys that are not known.

        ``later`` says what to do instead of keys of a later release, ``misplaced`` instead of keys that belong
        elsewhere.
        """
        for key, place in self.table.key_places.items():
            if key in known:
                continue
            if later and key in later:
                self.faults.add(
                    place, self.below(key), f"`{key}` is not available in this release", later[key]
                )
            elif misplaced and key in misplaced:
                self.faults.add(place, self.below(key), f"`{key}` does not belong here", misplaced[key])
            else:
                hint = did_you_mean(key, known) if WORD.fullmatch(key) else SPLIT
                self.faults.add(place, self.below(key), f"unknown key {shown(key)}", hint)

    def below(self, key: str) -> str:
        """The path of a key of this table."""
        return join(self.path, key)

    def place_of(self, key: str) -> Place:
        """Where a key's value stands, or the table if there is none."""
        node = self.table.entries.get(key)
        return node.place if node else self.place

    def fault(self, key: str, message: str, hint: str = "") -> None:
        """Note a mistake in a key's value."""
        self.faults.add(self.place_of(key), self.below(key), message, hint)

    def node(self, key: str) -> Node | None:
        """A key's value if it is written; a key without a value is a fault."""
        node = self.table.entries.get(key)
        if isinstance(node, TextNode) and node.is_empty:
            self.faults.add(
                self.table.key_places[key],
                self.below(key),
                f"`{key}` has no value",
                "write one, or remove the key",
            )
            return None
        return node

    def required(self, key: str, hint: str) -> Node | None:
        """As :meth:`node`, but a missing key is a fault too."""
        if key not in self.table.entries:
            self.faults.add(self.place, self.path, f"`{key}` is missing", hint)
        return self.node(key)

    def section(self, key: str, hint: str) -> "Section | None":
        """A key's value as a table."""
        node = self.node(key)
        if node is None:
            return None
        if not isinstance(node, TableNode):
            self.fault(key, f"`{key}` must be a table", hint)
            return None
        return Section(node, self.table.key_places[key], self.below(key), self.faults)

    def text(self, key: str, hint: str) -> str | None:
        """A key's value as a text."""
        node = self.node(key)
        if node is None:
            return None
        if not isinstance(node, TextNode):
            self.fault(key, f"`{key}` must be a text", hint)
            return None
        return node.text

    def choice(self, key: str, choices: Sequence[Choice], default: Choice) -> Choice:
        """A key's value as one of a few words."""
        text = self.text(key, "one of " + ", ".join(choices))
        if text is None:
            return default
        for choice in choices:
            if text == choice:
                return choice
        self.fault(key, f"{shown(text)} is none of {', '.join(choices)}", did_you_mean(text, choices))
        return default

    def texts(self, key: str, hint: str) -> tuple[tuple[str, Place], ...]:
        """A key's value as a list of texts with their places; empty if there is none."""
        node = self.node(key)
        if node is None:
            return ()
        if not isinstance(node, ListNode) or not node.items:
            self.fault(key, f"`{key}` must be a list of names", hint)
            return ()
        found = []
        for item in node.items:
            if isinstance(item, TextNode) and item.text:
                found.append((item.text, item.place))
            else:
                self.faults.add(item.place, self.below(key), "not a name", hint)
        return tuple(found)
