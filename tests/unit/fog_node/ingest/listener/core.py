"""A conversation without a socket: what a device says goes in; answers and journaled messages come out."""

from collections.abc import Collection
from dataclasses import dataclass, field

from fog_node.ingest.deliveries import Deliveries
from fog_node.ingest.listener.conversation import Close, Conversation, Greet, Send, Take
from fog_node.ingest.listener.packets import Welcome
from fog_node.ingest.session import Sessions
from fog_node.ingest.topics import TemplateRouter
from fog_node.messages import Messages

LIMIT = 4096
RECEIVE_MAXIMUM = 50
ROUTES = {"air": "site/{zone}/air", "zone": "site/z1/{kind}", "soil": "site/{zone}/soil"}


def fresh_sessions() -> Sessions:
    return Sessions(keep_us=10**12, most_sessions=100, most_entries=10**6)


@dataclass(kw_only=True)
class Device:
    """One connection, and the journal behind it."""

    sessions: Sessions = field(default_factory=fresh_sessions)
    router: TemplateRouter = field(default_factory=lambda: TemplateRouter(ROUTES))
    full: Collection[str] = ()
    """Streams whose journal has no room."""
    journal: list[tuple[str, Messages]] = field(default_factory=list)
    heard: bytes = b""
    closed: Close | None = None
    redelivered: int = 0
    retained: int = 0
    unrouted: int = 0

    def __post_init__(self) -> None:
        self.conversation = Conversation(
            router=self.router, max_packet_bytes=LIMIT, receive_maximum=RECEIVE_MAXIMUM
        )

    def says(self, *pieces: bytes) -> bytes:
        """Send pieces, each one read of the listener; what comes back."""
        before = len(self.heard)
        for piece in pieces:
            self.conversation.received(piece)
            self._drain()
        return self.heard[before:]

    def payloads(self, stream: str = "air") -> list[bytes]:
        return [payload for name, messages in self.journal if name == stream for payload in messages.payloads]

    def _drain(self) -> None:
        while (action := self.conversation.next()) is not None:
            match action:
                case Greet():
                    self._greet(action)
                case Take():
                    self._take(action)
                case Send():
                    self.heard += action.data
                case Close():
                    self.heard += action.data
                    self.closed = action

    def _greet(self, greet: Greet) -> None:
        connect = greet.connect
        session, present = self.sessions.enter(
            connect.client, clean=connect.clean, window=RECEIVE_MAXIMUM, now_us=0
        )
        welcome = Welcome(session_present=present, receive_maximum=RECEIVE_MAXIMUM, max_packet_bytes=LIMIT)
        self.heard += self.conversation.admit(connect, session, welcome, client=connect.client)

    def _take(self, take: Take) -> None:
        assert self.conversation.session is not None
        batch = Deliveries(
            take.published,
            session=self.conversation.session,
            sessions=self.sessions,
            client=self.conversation.client,
            codec=self.conversation.codec,
            now_us=0,
        )
        for share in batch.shares:
            self.redelivered += share.redelivered
            if share.messages is not None and share.stream not in self.full:
                self.journal.append((share.stream, share.messages))
                self.retained += share.retained
        answer = batch.settled([share.stream for share in batch.shares if share.stream in self.full])
        self.heard += answer.data
        self.unrouted += answer.unrouted
