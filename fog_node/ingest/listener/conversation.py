"""The protocol of one connection, sans-IO: bytes in, actions out. The listener performs them one by one.

GREETING ──CONNECT──▶ ADMITTING ──admitted──▶ OPEN ──DISCONNECT, fault──▶ CLOSED
    └────────────── fault ─────────┴─refused──────────────────────────────▶ CLOSED
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final, assert_never

from fog_node.ingest.frames import check_flags
from fog_node.ingest.inbox import Inbox
from fog_node.ingest.listener.codec_v5 import CodecV5
from fog_node.ingest.listener.codec_v311 import CodecV311
from fog_node.ingest.listener.packets import (
    FLAGS,
    Authenticate,
    Codec,
    Connect,
    Goodbye,
    Incoming,
    Ping,
    Release,
    Subscribe,
    Unsubscribe,
    Welcome,
    Will,
)
from fog_node.ingest.packets import CONNECT, PUBCOMP, PUBLISH, MalformedPacket, Reason
from fog_node.ingest.publish import Published, PublishParser
from fog_node.ingest.session import Session
from fog_node.ingest.topics import Router

LONGEST_CLIENT: Final = 1024
GREETING_BYTES: Final = 128 * 1024
"""CONNECT is never longer: a stranger gets no more memory than that."""
PINGRESP: Final = b"\xd0\x00"
GRACE: Final = 1.5
"""A device is given up when it was silent for this many keep-alive times; the standard's factor."""


class State(Enum):
    """Where a conversation stands."""

    GREETING = "greeting"
    ADMITTING = "admitting"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Greet:
    """A device asks to be let in: answer with :meth:`Conversation.admit` or :meth:`Conversation.refuse`."""

    connect: Connect


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """Journal these messages, then answer them."""

    published: Published


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Write these bytes."""

    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Write these bytes and close; ``reason`` names the fault for the counters, empty for a goodbye."""

    data: bytes
    reason: str
    detail: str = ""


Action = Greet | Take | Send | Close


class Conversation:
    """One connection's protocol. Feed with :meth:`received`, then ask :meth:`next` until it says None."""

    def __init__(self, *, router: Router, max_packet_bytes: int, receive_maximum: int) -> None:
        self._router: Final = router
        self._limit: Final = max_packet_bytes
        self._receive_maximum: Final = receive_maximum
        self._inbox: Final = Inbox()
        self._fault: MalformedPacket | None = None
        self._parser: PublishParser | None = None
        self.state = State.GREETING
        self.codec: Codec = CodecV311()
        self.client = ""
        self.session: Session | None = None
        self.session_expiry_s = 0
        self.silence_s: float | None = None
        """Seconds of silence after which the device is given up; None: never."""
        self.will: Will | None = None
        """What to publish if the connection ends now."""

    @property
    def waiting_bytes(self) -> int:
        """Bytes received and not yet part of an action."""
        return self._inbox.waiting_bytes

    def received(self, data: bytes) -> None:
        """Take bytes from the device."""
        self._inbox.received(data)

    def next(self) -> Action | None:
        """The next thing to do; None when more bytes, or an answer to :class:`Greet`, must come first."""
        if self.state in (State.ADMITTING, State.CLOSED):
            return None
        try:
            return self._next()
        except MalformedPacket as fault:
            return self._fail(fault)

    def _next(self) -> Action | None:
        if self._fault is not None:
            raise self._fault
        inbox = self._inbox
        if not inbox.ready():
            return None
        end = inbox.end(self._limit if self.state is State.OPEN else min(self._limit, GREETING_BYTES))
        kind = inbox.first >> 4
        if self.state is State.GREETING and kind != CONNECT:
            raise MalformedPacket("the first packet is no CONNECT", reason=Reason.PROTOCOL_ERROR)
        if kind == PUBLISH:
            return self._publish()
        check_flags(inbox.first, FLAGS)
        if end is None:
            return None
        frame = inbox.take(end)
        return self._greet(frame) if self.state is State.GREETING else self._answer(self.codec.read(frame))

    def _publish(self) -> Action | None:
        assert self._parser is not None
        # Even of a part it is seen at once that it can never be taken.
        run = self._parser.parse(self._inbox.data, self._inbox.at)
        self._inbox.at, self._fault = run.end, run.fault
        if run.published is None:
            if run.fault is not None:
                raise run.fault
            return None
        if self._too_many(run.published):
            self._fault = MalformedPacket(
                f"more than {self._receive_maximum} messages without an acknowledgement",
                reason=Reason.RECEIVE_MAXIMUM_EXCEEDED,
            )
            raise self._fault
        return Take(published=run.published)

    def _too_many(self, published: Published) -> bool:
        if self.codec.version != 5 or self.session is None:
            return False
        open_ids = self.session.unreleased
        with_id = published.flags & 3 != 0
        if int(with_id.sum()) + len(open_ids) <= self._receive_maximum:
            return False
        return len(open_ids.union(published.packet_ids[with_id].tolist())) > self._receive_maximum

    def _greet(self, frame: bytes) -> Action:
        # The version is the byte after the protocol's name; the name of 3.1 was another one.
        start = 2
        while frame[start - 1] & 0x80:
            start += 1
        if frame[start : start + 7] == b"\x00\x04MQTT\x05":
            self.codec = CodecV5()
        connect = self.codec.read(frame)
        assert isinstance(connect, Connect)
        if len(connect.client) > LONGEST_CLIENT:
            raise MalformedPacket("a very long client id", reason=Reason.CLIENT_ID_NOT_VALID)
        if connect.authentication_method is not None:
            raise MalformedPacket("an authentication method", reason=Reason.BAD_AUTHENTICATION_METHOD)
        self.state = State.ADMITTING
        return Greet(connect=connect)

    def admit(self, connect: Connect, session: Session, welcome: Welcome, *, client: str) -> bytes:
        """Let the device in; the CONNACK to write. Its messages follow from :meth:`next`."""
        self.client, self.session, self.will = client, session, connect.will
        self.session_expiry_s = (
            connect.session_expiry_s if welcome.session_expiry_s is None else welcome.session_expiry_s
        )
        keep_alive = connect.keep_alive_s if welcome.keep_alive_s is None else welcome.keep_alive_s
        self.silence_s = keep_alive * GRACE if keep_alive else None
        self._parser = PublishParser(
            version=self.codec.version, max_packet_bytes=self._limit, router=self._router
        )
        self.state = State.OPEN
        return self.codec.welcome(welcome)

    def refuse(self, reason: Reason, detail: str = "") -> Close:
        """Turn the device away."""
        self.state = State.CLOSED
        return Close(data=self.codec.refusal(reason), reason=reason.name.lower(), detail=detail)

    def end(self, reason: Reason, detail: str = "") -> Close:
        """The listener ends an open conversation; the will stays."""
        said = self.codec.goodbye(reason) if self.state is State.OPEN else b""
        self.state = State.CLOSED
        return Close(data=said, reason=reason.name.lower(), detail=detail)

    def _fail(self, fault: MalformedPacket) -> Close:
        if self.state is State.GREETING:
            return self.refuse(fault.reason, fault.message)
        return self.end(fault.reason, fault.message)

    def _answer(self, packet: Incoming) -> Action:
        codec = self.codec
        match packet:
            case Ping():
                return Send(data=PINGRESP)
            case Release():
                return Send(data=self._complete(packet.packet_id))
            case Subscribe():
                return Send(data=codec.subscribed(packet))
            case Unsubscribe():
                return Send(data=codec.unsubscribed(packet))
            case Goodbye():
                return self._goodbye(packet)
            case Connect():
                raise MalformedPacket("a second CONNECT", reason=Reason.PROTOCOL_ERROR)
            case Authenticate():
                raise MalformedPacket("AUTH without a method", reason=Reason.PROTOCOL_ERROR)
            case _:
                assert_never(packet)

    def _complete(self, packet_id: int) -> bytes:
        assert self.session is not None
        known = packet_id in self.session.unreleased
        self.session.unreleased.discard(packet_id)
        reason = Reason.SUCCESS if known else Reason.PACKET_ID_NOT_FOUND
        return self.codec.acknowledgement(PUBCOMP, packet_id, reason)

    def _goodbye(self, packet: Goodbye) -> Close:
        if packet.session_expiry_s is not None:
            if packet.session_expiry_s and not self.session_expiry_s:
                raise MalformedPacket(
                    "a session expiry that CONNECT had ruled out", reason=Reason.PROTOCOL_ERROR
                )
            self.session_expiry_s = packet.session_expiry_s
        if not packet.with_will:
            self.will = None
        self.state = State.CLOSED
        return Close(data=b"", reason="")
