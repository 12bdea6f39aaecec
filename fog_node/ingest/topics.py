"""Topic templates such as ``greenhouse/{zone}/{device}/air``: which streams a topic feeds, and its labels."""

import re
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

_LEVEL: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}\Z")
_ANY: Final = ""
"""Stands for any level in the tree; a literal empty level is kept as ``_EMPTY``."""
_EMPTY: Final = "\0"


class Router(Protocol):
    """Says which streams a topic feeds."""

    @property
    def generation(self) -> int:
        """Grows whenever an answer may have changed, so that nobody keeps an old one."""
        ...

    def route(self, topic: str) -> tuple[str, ...]:
        """Names of the streams that take this topic; empty when none does."""
        ...


class Template:
    """A topic template. Each level is a text or one ``{label}``, which stands for exactly one level."""

    __slots__ = ("labels", "levels", "text")

    def __init__(self, text: str) -> None:
        """Raises :class:`ValueError` for a template that is no topic, uses ``+`` or ``#``, or names a label
        twice.
        """
        if not text or "\0" in text:
            raise ValueError("a topic template is some text without U+0000")
        if "+" in text or "#" in text:
            raise ValueError(f"{text!r} uses an MQTT wildcard; write {{label}} for a level that may differ")
        self.text: Final = text
        self.levels: Final = tuple(_level(level, text) for level in text.split("/"))
        names = [name for _, name in self.levels if name]
        if len(set(names)) < len(names):
            raise ValueError(f"{text!r} names a label twice")
        self.labels: Final = tuple(names)

    def match(self, topic: str) -> tuple[str, ...] | None:
        """The labels' values in the template's order, or None when the topic does not fit."""
        levels = topic.split("/")
        if len(levels) != len(self.levels):
            return None
        values = []
        for (literal, name), level in zip(self.levels, levels, strict=True):
            if name:
                if not level:
                    return None
                values.append(level)
            elif literal != level:
                return None
        return tuple(values)


def _level(level: str, text: str) -> tuple[str, str]:
    """A level as (literal, label); the one that it is not is empty."""
    if found := _LEVEL.match(level):
        return "", found[1]
    if "{" in level or "}" in level:
        raise ValueError(f"{text!r}: a label takes a whole level, such as a/{{zone}}/b")
    return level, ""


class _Branch:
    """A level of the tree of all templates."""

    __slots__ = ("below", "streams")

    def __init__(self) -> None:
        self.below: dict[str, _Branch] = {}
        self.streams: list[str] = []


class TemplateRouter:
    """The streams' templates as one tree: the cost of a route grows with the topic's levels, not with the
    streams.
    """

    __slots__ = ("_generation", "_root", "_templates")

    def __init__(self, templates: Mapping[str, str] | None = None) -> None:
        self._generation = 0
        self._root = _Branch()
        self._templates: dict[str, Template] = {}
        self.replace(templates or {})

    @property
    def generation(self) -> int:
        """Grows with every :meth:`replace`."""
        return self._generation

    @property
    def streams(self) -> tuple[str, ...]:
        """Every stream that has a template."""
        return tuple(self._templates)

    @property
    def templates(self) -> Mapping[str, str]:
        """Every stream's template."""
        return {stream: template.text for stream, template in self._templates.items()}

    def replace(self, templates: Mapping[str, str]) -> None:
        """From now on these streams (name to template), and no others. Raises :class:`ValueError`, changing
        nothing.
        """
        compiled = {stream: Template(text) for stream, text in templates.items()}
        root = _Branch()
        for stream, template in compiled.items():
            branch = root
            for literal, name in template.levels:
                key = _ANY if name else literal or _EMPTY
                branch = branch.below.setdefault(key, _Branch())
            branch.streams.append(stream)
        self._root, self._templates = root, compiled
        self._generation += 1

    def route(self, topic: str) -> tuple[str, ...]:
        """Names of the streams that take this topic, sorted; empty when none does."""
        branches: list[_Branch] = [self._root]
        for level in topic.split("/"):
            branches = list(_next(branches, level))
            if not branches:
                return ()
        return tuple(sorted(stream for branch in branches for stream in branch.streams))

    def labels(self, stream: str, topic: str) -> dict[str, str] | None:
        """The labels that a topic gives to its readings; None when the stream does not take it."""
        template = self._templates[stream]
        values = template.match(topic)
        return None if values is None else dict(zip(template.labels, values, strict=True))


def _next(branches: Iterable[_Branch], level: str) -> Iterable[_Branch]:
    for branch in branches:
        literal = branch.below.get(level or _EMPTY)
        if literal is not None:
            yield literal
        # A label with an empty value would name nothing.
        if level and (label := branch.below.get(_ANY)) is not None:
            yield label
