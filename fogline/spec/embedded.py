"""Where the characters of a YAML text stand in the file: SQL inside a block is blamed at its own word."""

import bisect
import re
from typing import Final

from fogline.model.faults import Place
from fogline.spec.document import TextNode

LINE_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What YAML takes for the end of a line."""

ESCAPE_LENGTHS: Final = {"x": 4, "u": 6, "U": 10}


class Embedded:
    """A text of the document and the way back to the file."""

    def __init__(self, node: TextNode, document: str) -> None:
        self.text: Final = node.text
        self._document: Final = document
        self._line_starts: Final = [0, *(found.end() for found in LINE_BREAK.finditer(document))]
        self._start: Final = node.start
        self._indexes: Final = self._align(node)

    def place(self, index: int) -> Place:
        """Line and column in the file of a character of the text; behind its end: of the last one."""
        if not self._indexes:
            return self._at(self._start)
        return self._at(self._indexes[max(0, min(index, len(self._indexes) - 1))])

    def _at(self, position: int) -> Place:
        line = bisect.bisect_right(self._line_starts, position)
        return Place(line, position - self._line_starts[line - 1] + 1)

    def _align(self, node: TextNode) -> list[int]:
        """For every character of the text the index in the document.

        YAML folds blanks and line breaks, adds and removes them, but keeps every other character and their
        order; so only those are matched, and blanks are given the place behind the character before them.
        """
        position = self._first(node)
        indexes: list[int] = []
        for character in node.text:
            if character.isspace():
                indexes.append(position)
                continue
            while position < len(self._document):
                value, length = self._written(position, node.style)
                if value == character:
                    break
                position += length
            else:
                return [node.start] * len(node.text)
            indexes.append(position)
            position += length
        return indexes

    def _first(self, node: TextNode) -> int:
        if node.style in ("|", ">"):
            found = LINE_BREAK.search(self._document, node.start)
            return found.end() if found else len(self._document)
        return node.start + len(node.style)

    def _written(self, position: int, style: str) -> tuple[str, int]:
        """The character that is written here, and how many characters its writing takes."""
        character = self._document[position]
        if style == "'" and self._document.startswith("''", position):
            return "'", 2
        if style != '"' or character != "\\":
            return character, 1
        mark = self._document[position + 1 : position + 2]
        length = ESCAPE_LENGTHS.get(mark, 2)
        if length == 2:
            # Named escapes are blanks and controls, which are never looked for; others stand for themselves.
            return ("" if mark.isalnum() else mark), 2
        return chr(int(self._document[position + 2 : position + length], 16)), length
