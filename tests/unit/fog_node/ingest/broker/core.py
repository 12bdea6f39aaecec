"""A conversation with a broker without a socket: what the broker says goes in; messages and answers come out."""

from dataclasses import dataclass, field

from fog_node.ingest.broker.conversation import Close, Conversation, Dropped, Take
from fog_node.ingest.broker.subscriptions import SubscribedRouter
from fog_node.ingest.deliveries import Deliveries
from fog_node.ingest.packet_v5 import AnswersV5
from fog_node.ingest.session import Sessions
from fog_node.ingest.topics import TemplateRouter
from fog_node.messages import Messages

LIMIT = 4096
WINDOW = 50
ROUTES = {"air": "site/{zone}/air", "zone": "site/z1/{kind}", "soil": "site/{zone}/soil"}
WELCOME = b"\x20\x03\x00\x00\x00"


@dataclass(kw_only=True)
class Node:
    """One connection to a broker, and the journal behind it."""

    sessions: Sessions = field(
        default_factory=lambda: Sessions(keep_us=10**12, most_sessions=9, most_entries=10**6)
    )
    routes: dict[str, str] = field(default_factory=lambda: dict(ROUTES))
    journal: list[tuple[str, Messages]] = field(default_factory=list)
    said: bytes = b""
    heard: list[object] = field(default_factory=list)
    """Every action that is no message."""
    closed: Close | None = None
    redelivered: int = 0
    retained: int = 0
    unrouted: int = 0
    taken: int = 0

    def __post_init__(self) -> None:
        self.router = TemplateRouter(self.routes)
        self.conversation = Conversation(router=SubscribedRouter(self.router, ""), max_packet_bytes=LIMIT)
        self.session, _ = self.sessions.enter("node", clean=False, window=WINDOW, now_us=0)

    def hears(self, *pieces: bytes) -> bytes:
        """Take pieces, each one read; what is said in answer."""
        before = len(self.said)
        for piece in pieces:
            self.conversation.received(piece)
            while (action := self.conversation.next()) is not None:
                self._perform(action)
        return self.said[before:]

    def payloads(self, stream: str = "air") -> list[bytes]:
        return [payload for name, messages in self.journal if name == stream for payload in messages.payloads]

    @property
    def dropped(self) -> list[int]:
        return [action.count for action in self.heard if isinstance(action, Dropped)]

    def _perform(self, action: object) -> None:
        if isinstance(action, Take):
            self._take(action)
            return
        self.heard.append(action)
        if isinstance(action, Close):
            self.said += action.data
            self.closed = action

    def _take(self, take: Take) -> None:
        batch = Deliveries(
            take.published,
            session=self.session,
            sessions=self.sessions,
            client="node",
            codec=AnswersV5(),
            now_us=0,
            retained_is_old=True,
        )
        self.taken += len(batch)
        for share in batch.shares:
            self.redelivered += share.redelivered
            self.retained += share.retained
            if share.messages is not None:
                self.journal.append((share.stream, share.messages))
        answer = batch.settled()
        self.said += answer.data
        self.unrouted += answer.unrouted
