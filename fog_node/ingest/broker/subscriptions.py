"""What the node asks a broker for: one subscription for each topic filter that a stream needs.

Each subscription has an identifier, which the broker gives back with every message delivered under it. A message
that matches two subscriptions comes twice, or once with both identifiers, as the broker likes; a copy counts for the
streams of its own subscriptions and for no others, so that either way each stream takes the message once.
"""

import zlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from fog_node.ingest.topics import Template, TemplateRouter

LEAST_IDENTIFIER: Final = 1 << 21
IDENTIFIERS: Final = (1 << 28) - LEAST_IDENTIFIER
"""All of them take four bytes on the wire, so that they can be read by the column."""

DROPPED_TOPIC: Final = "$SYS/broker/publish/messages/dropped"
"""Where mosquitto says how many messages it dropped since it began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What must be asked for, and given up, so that the subscriptions are what they shall be."""

    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]


def topic_filter(template: str) -> str:
    """The topic filter that takes every topic of a template: each label becomes ``+``."""
    return "/".join("+" if label else literal for literal, label in Template(template).levels)


def shared(filters: str, group: str) -> str:
    """The filter as it is subscribed to by a member of ``group``; an empty group shares nothing."""
    return f"$share/{group}/{filters}" if group else filters


def identifier(subscribed: str) -> int:
    """The identifier of a subscription: a number that depends on nothing but its text.

    A message may wait in the broker while the node is away, so the number must mean the same when it is back.
    """
    return LEAST_IDENTIFIER + zlib.crc32(subscribed.encode()) % IDENTIFIERS


def filters_of(templates: Iterable[str], group: str) -> frozenset[str]:
    """Every subscription that these templates need."""
    return frozenset(shared(topic_filter(template), group) for template in templates)


def difference(wanted: Collection[str], held: Collection[str]) -> Difference:
    """What to subscribe to and what to end. New ones come first: a stream that changes loses nothing."""
    return Difference(
        wanted=tuple(sorted(set(wanted) - set(held))), unwanted=tuple(sorted(set(held) - set(wanted)))
    )


class SubscribedRouter:
    """Says which streams take a message that was delivered under certain subscriptions."""

    def __init__(self, router: TemplateRouter, group: str) -> None:
        self._router: Final = router
        self._group: Final = group
        self._generation = -1
        self._streams: dict[int, set[str]] = {}

    @property
    def generation(self) -> int:
        """Grows whenever an answer may have changed."""
        return self._router.generation

    def route(self, topic: str) -> tuple[str, ...]:
        """Names of the streams that take this topic, whatever it was delivered under."""
        return self._router.route(topic)

    def route_under(self, topic: str, identifiers: tuple[int, ...]) -> tuple[str, ...]:
        """Names of the streams that take this topic from these subscriptions."""
        if self._generation != self._router.generation:
            self._generation = self._router.generation
            self._streams = _by_identifier(self._router.templates, self._group)
        empty: set[str] = set()
        takers = empty.union(*(self._streams.get(number, empty) for number in identifiers))
        return tuple(stream for stream in self._router.route(topic) if stream in takers)

    def filters(self) -> frozenset[str]:
        """Every subscription that the streams need now."""
        return filters_of(self._router.templates.values(), self._group)


def _by_identifier(templates: Mapping[str, str], group: str) -> dict[int, set[str]]:
    streams: dict[int, set[str]] = {}
    for stream, template in templates.items():
        streams.setdefault(identifier(shared(topic_filter(template), group)), set()).add(stream)
    return streams
