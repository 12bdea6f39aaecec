"""Code blocks of the documents."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[3]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


class Block(NamedTuple):
    """A fenced block: where it begins, its language, its text."""

    place: str
    language: str
    text: str


def blocks(document: Path) -> Iterator[Block]:
    """Every fenced block of a document."""
    content = document.read_text(encoding="utf-8")
    for found in re.finditer(r"^```(\w*)\n(.*?)^```$", content, re.DOTALL | re.MULTILINE):
        line = content.count("\n", 0, found.start()) + 1
        yield Block(f"{document.relative_to(ROOT)}:{line}", found[1], found[2])


def commands(block: Block) -> Iterator[str]:
    """Lines of a block without a language that run a program, without their comments."""
    if not block.language:
        for line in block.text.splitlines():
            if re.match(r"(fogline|mosquitto_pub|make) \S", line):
                yield re.sub(r"\s+#.*", "", line)
