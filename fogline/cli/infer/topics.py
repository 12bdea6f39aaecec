"""Which topics are one stream, and the template that names them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from fogline.cli.infer.names import is_quantity, looks_like_an_identifier
from fogline.cli.infer.payloads import Kind, Path

ALIKE: Final = 0.5
"""Share of paths that two topics have in common, of all that they have, from which on they are one stream."""
MOST_LEVELS: Final = 128
MOST_BYTES: Final = 65_535

Levels = tuple[str, ...]
Template = tuple[str | None, ...]
"""Levels; None stands for any one level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic that was heard, and what its payloads are."""

    levels: Levels
    kind: Kind
    paths: frozenset[Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Topics that are one stream."""

    template: Template
    topics: tuple[Topic, ...]

    def matches(self, levels: Levels) -> bool:
        """Whether a topic belongs to the template."""
        return len(levels) == len(self.template) and all(
            wanted == level if wanted is not None else bool(level)
            for wanted, level in zip(self.template, levels, strict=True)
        )


def can_be_read(topic: str) -> bool:
    """Whether a template can name this topic."""
    levels = topic.split("/")
    return (
        topic != ""
        and not topic.startswith("$")
        and len(levels) <= MOST_LEVELS
        and len(topic.encode("utf-8", "replace")) <= MOST_BYTES
        and all(level.isprintable() and not set(level) & set("{}+#") for level in levels)
    )


def group_topics(topics: Sequence[Topic]) -> list[Group]:
    """Group topics that a node can read into streams, so that no topic belongs to two of them."""
    groups: dict[tuple[Kind, int], list[Group]] = defaultdict(list)
    for topic in sorted(topics, key=lambda t: t.levels):
        if topic.kind is Kind.OTHER:
            continue
        alike = groups[(topic.kind, len(topic.levels))]
        for place, group in enumerate(alike):
            if (joined := _joined(group, topic)) is not None:
                alike[place] = joined
                break
        else:
            alike.append(Group(template=topic.levels, topics=(topic,)))
    apart = [part for some in groups.values() for group in some for part in _apart(group, topics)]
    settled: list[Group] = []
    for place, group in enumerate(apart):
        others = settled + apart[place + 1 :]
        settled.append(_generalised(group, topics, others))
    return settled


def _joined(group: Group, topic: Topic) -> Group | None:
    """Take the topic into the group, if they are alike and have a level in common."""
    first = group.topics[0]
    if any(
        one != other and (_stands(first, one, place) or _stands(topic, other, place))
        for place, (one, other) in enumerate(zip(first.levels, topic.levels, strict=True))
    ):
        return None
    if topic.kind is Kind.JSON:
        paths = frozenset().union(*(t.paths for t in group.topics))
        if len(paths & topic.paths) < ALIKE * len(paths | topic.paths):
            return None
    template = tuple(
        wanted if wanted == level else None
        for wanted, level in zip(group.template, topic.levels, strict=True)
    )
    varying = [place for place, level in enumerate(template) if level is None]
    if not any(template) or not all(t.levels[place] for t in (*group.topics, topic) for place in varying):
        return None
    return Group(template=template, topics=(*group.topics, topic))


def _stands(topic: Topic, level: str, place: int) -> bool:
    """Whether this level of a topic says what is measured."""
    if is_quantity(level):
        return True
    # A bare number says nothing of itself: its last word is its name, unless another level is.
    last = place == len(topic.levels) - 1
    return (
        topic.kind is Kind.NUMBER
        and last
        and not looks_like_an_identifier(level)
        and not any(is_quantity(other) for other in topic.levels)
    )


def _apart(group: Group, topics: Iterable[Topic]) -> list[Group]:
    """Split a group until its template matches no topic that is another's."""
    own = set(group.topics)
    if not any(group.matches(t.levels) for t in topics if t not in own):
        return [group]
    values = {
        place: {t.levels[place] for t in group.topics}
        for place, level in enumerate(group.template)
        if level is None
    }
    place = min(values, key=lambda p: (len(values[p]), p))
    parts = []
    for value in sorted(values[place]):
        template = (*group.template[:place], value, *group.template[place + 1 :])
        some = tuple(t for t in group.topics if t.levels[place] == value)
        parts += _apart(Group(template=template, topics=some), topics)
    return parts


def _generalised(group: Group, topics: Iterable[Topic], others: Iterable[Group]) -> Group:
    """Let levels that name one of many stand for any, where that takes in nothing that is another's."""
    own = set(group.topics)
    foreign = [t.levels for t in topics if t not in own]
    templates = [g.template for g in others]
    for place, level in enumerate(group.template):
        if level is None or not looks_like_an_identifier(level):
            continue
        wider = replace(group, template=(*group.template[:place], None, *group.template[place + 1 :]))
        takes_in = any(wider.matches(t) for t in foreign) or any(_meet(wider.template, t) for t in templates)
        if any(wider.template) and not takes_in:
            group = wider
    return group


def _meet(one: Template, other: Template) -> bool:
    """Whether some topic would belong to both templates."""
    return len(one) == len(other) and all(
        a is None or b is None or a == b for a, b in zip(one, other, strict=True)
    )
