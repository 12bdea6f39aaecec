"""The protocol of one connection to a broker, sans-IO: bytes in, actions out.

GREETING ──CONNACK──▶ OPEN ──DISCONNECT, fault──▶ CLOSED
    └────── refused, fault ────────────────────────▶ CLOSED
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np

from fog_node.ingest.broker import codec
from fog_node.ingest.broker.delivered import DeliveredParser
from fog_node.ingest.broker.drops import parse_count
from fog_node.ingest.broker.packets import (
    FAILURE,
    FLAGS,
    Goodbye,
    Pong,
    Subscribed,
    Unsubscribed,
    Welcome,
    words_for,
)
from fog_node.ingest.broker.subscriptions import DROPPED_TOPIC, SubscribedRouter
from fog_node.ingest.frames import check_flags
from fog_node.ingest.inbox import Inbox
from fog_node.ingest.packets import CONNACK, PUBLISH, MalformedPacket, Reason
from fog_node.ingest.publish import Published
from fog_node.messages import QOS_BITS


class State(Enum):
    """Where a conversation stands."""

    GREETING = "greeting"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """Journal these messages, then acknowledge them."""

    published: Published


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """The broker says how many messages it has dropped since it began."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Write these bytes and close. ``reason`` names the fault for the counters."""

    data: bytes
    reason: str
    detail: str


Action = Welcome | Take | Dropped | Subscribed | Unsubscribed | Pong | Close


class Conversation:
    """One connection's protocol. Feed with :meth:`received`, then ask :meth:`next` until it says None."""

    def __init__(self, *, router: SubscribedRouter, max_packet_bytes: int) -> None:
        self._limit: Final = max_packet_bytes
        self._inbox: Final = Inbox()
        self._parser: Final = DeliveredParser(max_packet_bytes=max_packet_bytes, router=router)
        self._fault: MalformedPacket | None = None
        self._taken: Take | None = None
        self.state = State.GREETING

    @property
    def waiting_bytes(self) -> int:
        """Bytes received and not yet part of an action."""
        return self._inbox.waiting_bytes

    def received(self, data: bytes) -> None:
        """Take bytes from the broker."""
        self._inbox.received(data)

    def next(self) -> Action | None:
        """The next thing to do; None when more bytes must come first."""
        if self.state is State.CLOSED:
            return None
        try:
            return self._next()
        except MalformedPacket as fault:
            said = codec.goodbye(fault.reason) if self.state is State.OPEN else b""
            return self._close(said, fault.reason.name.lower(), fault.message)

    def _next(self) -> Action | None:
        if self._taken is not None:
            taken, self._taken = self._taken, None
            return taken
        if self._fault is not None:
            raise self._fault
        inbox = self._inbox
        if not inbox.ready():
            return None
        end = inbox.end(self._limit)
        kind = inbox.first >> 4
        if self.state is State.GREETING and kind != CONNACK:
            raise MalformedPacket("the first packet is no CONNACK", reason=Reason.PROTOCOL_ERROR)
        if kind == PUBLISH:
            return self._publish()
        check_flags(inbox.first, FLAGS)
        if end is None:
            return None
        return self._answer(inbox.take(end))

    def _publish(self) -> Action | None:
        run = self._parser.parse(self._inbox.data, self._inbox.at)
        self._inbox.at, self._fault = run.end, run.fault
        if run.published is None:
            if run.fault is not None:
                raise run.fault
            return None
        published = self._asked_for(run.published)
        if not len(published):
            return self._next()
        said = self._parser.codes(DROPPED_TOPIC)
        return self._aside(published, said) if said else Take(published=published)

    def _asked_for(self, published: Published) -> Published:
        """What stands before a message of QoS 2: that comes under a subscription that somebody else made."""
        wrong = np.flatnonzero(published.flags & QOS_BITS > 1)
        if not wrong.size:
            return published
        self._fault = MalformedPacket(
            "a message of QoS 2, which was not asked for", reason=Reason.PROTOCOL_ERROR
        )
        return published.only(np.arange(len(published)) < wrong[0])

    def _aside(self, published: Published, codes: list[int]) -> Action | None:
        """Take what the broker says of itself out of what devices say."""
        rows = np.isin(published.topic_codes, codes)
        if not rows.any():
            return Take(published=published)
        counts = [parse_count(published.payloads[index]) for index in np.flatnonzero(rows).tolist()]
        known = [count for count in counts if count is not None]
        rest = published.only(~rows)
        if len(rest):
            self._taken = Take(published=rest)
        # Each number stands for all before it, but for those of a broker that began again in between.
        return Dropped(count=known[-1]) if known else self._next()

    def _answer(self, frame: bytes) -> Action:
        packet = codec.read(frame)
        match packet:
            case Welcome():
                return self._welcome(packet)
            case Goodbye():
                detail = words_for(packet.reason, packet.reason_text)
                return self._close(b"", "disconnected", f"the broker ended the connection: {detail}")
            case _:
                return packet

    def _welcome(self, welcome: Welcome) -> Action:
        if self.state is not State.GREETING:
            raise MalformedPacket("a second CONNACK", reason=Reason.PROTOCOL_ERROR)
        if welcome.reason >= FAILURE:
            detail = words_for(welcome.reason, welcome.reason_text)
            return self._close(b"", "refused", f"the broker refuses the node: {detail}")
        self.state = State.OPEN
        return welcome

    def _close(self, data: bytes, reason: str, detail: str) -> Close:
        self.state = State.CLOSED
        return Close(data=data, reason=reason, detail=detail)
