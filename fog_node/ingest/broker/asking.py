"""What was asked of a broker on one connection, and what it has answered. Pure: packets to send come back."""

from collections.abc import Collection
from typing import Final

from fog_node.ingest.broker import codec
from fog_node.ingest.broker.packets import FAILURE, Subscribed, Unsubscribed, words_for
from fog_node.ingest.broker.subscriptions import DROPPED_TOPIC, identifier

LARGEST_PACKET_ID: Final = 65_535


class Asking:
    """Subscriptions of one connection. Every one is asked for again on each connection: some brokers forget shared
    ones when they restart, although they keep the session.
    """

    def __init__(self, *, identifiers: bool) -> None:
        self._identifiers: Final = identifiers
        self._packet_id = 0
        self._open: dict[int, str] = {}
        self.granted: dict[str, int] = {}
        """QoS by filter."""
        self.refused: dict[str, str] = {}
        """What the broker says against a filter."""

    def subscribe(self, filters: Collection[str]) -> bytes:
        """The packets that ask for these; one a filter, because the identifier is the packet's."""
        return b"".join(
            codec.subscribe(
                self._next(text),
                text,
                identifier=identifier(text) if self._identifiers else None,
                qos=1,
                retained=False,
            )
            for text in filters
        )

    def subscribe_drops(self) -> bytes:
        """The packet that asks for the broker's own count. At QoS 0: only its newest value is of use."""
        number = identifier(DROPPED_TOPIC) if self._identifiers else None
        return codec.subscribe(
            self._next(DROPPED_TOPIC), DROPPED_TOPIC, identifier=number, qos=0, retained=True
        )

    def unsubscribe(self, filters: Collection[str]) -> bytes:
        """The packets that end these."""
        for text in filters:
            self.granted.pop(text, None)
            self.refused.pop(text, None)
        return b"".join(codec.unsubscribe(self._next(text), text) for text in filters)

    def subscribed(self, answer: Subscribed) -> None:
        """The broker has answered a SUBSCRIBE; one that nobody asked for says nothing."""
        text = self._open.pop(answer.packet_id, None)
        if text is None or not answer.codes:
            return
        code = answer.codes[0]
        if code < FAILURE:
            self.granted[text] = code
            self.refused.pop(text, None)
        elif text != DROPPED_TOPIC:
            self.refused[text] = words_for(code, answer.reason_text)

    def unsubscribed(self, answer: Unsubscribed) -> str | None:
        """The filter that is ended now."""
        return self._open.pop(answer.packet_id, None)

    def fault(self) -> str:
        """What the broker does not let the node read, in words; empty: nothing."""
        return "; ".join(
            f"the broker refuses {text}: {words}" for text, words in sorted(self.refused.items())
        )

    def at_most_once(self) -> list[str]:
        """Filters that are granted at QoS 0 only."""
        return [text for text, qos in self.granted.items() if not qos and text != DROPPED_TOPIC]

    def _next(self, text: str) -> int:
        self._packet_id = self._packet_id % LARGEST_PACKET_ID + 1
        self._open[self._packet_id] = text
        return self._packet_id
