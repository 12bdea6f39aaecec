"""Everything by which an aggregator knows its children, put together: own identity, book, desk, doors."""

from collections.abc import Callable, Coroutine, Sequence
from random import Random
from typing import Any, Final, Protocol

from aggregator.identity.book import EnrolmentBook
from aggregator.identity.desk import AggregatorDesk
from aggregator.settings import AggregatorSettings
from fogline.identity.doors import REQUEST_BYTES, ChildrenDoor, JoiningDoor
from fogline.identity.expiry import end_expired
from fogline.identity.feed import Feed, FeedServicer, add_feed
from fogline.identity.holder import Holder
from fogline.identity.renewal import Renewing, asking
from fogline.identity.servicer import EnrolServicer, add_enrolment
from fogline.identity.trusting import roots_of
from fogline.model.clock import Clock
from fogline.service.server import Server


class Ends(Protocol):
    """Has open streams of children."""

    def end_revoked(self, revoked: Callable[[str], bool]) -> None:
        """Keys were taken back."""
        ...

    def end_expired(self, now_us: int) -> None:
        """Certificates may have ended."""
        ...


class Gate:
    """One aggregator's part in who may come in."""

    def __init__(self, holder: Holder, settings: AggregatorSettings, *, clock: Clock, rng: Random) -> None:
        self._settings: Final = settings
        self._clock: Final = clock
        self._enders: Final[list[Ends]] = []
        self.book: Final = EnrolmentBook(
            settings.folder,
            lambda: roots_of(holder.identity.authority_pem),
            ended=self._end_revoked,
        )
        self._desk: Final = AggregatorDesk(holder, self.book, parents=settings.parents, clock=clock)
        self._feeding: Final = FeedServicer(self._desk)
        self._feed: Final = Feed(
            settings.parents,
            self.book,
            dial=holder.dial,
            clock=clock,
            rng=rng,
            backoff=settings.link.backoff,
        )
        self.renewing: Final = Renewing(
            holder,
            settings.folder,
            ask=asking(holder, settings.parents, clock),
            clock=clock,
            rng=rng,
        )
        self.door: Final = ChildrenDoor(holder, revoked=self.book.list.revoked, clock=clock)
        self.enrol: Final = Server(
            listen=settings.enrol, door=JoiningDoor(holder), request_bytes=REQUEST_BYTES
        )

    def ends(self, *enders: Ends) -> None:
        """Who has open streams that end when keys were taken back, or with their certificates."""
        self._enders.extend(enders)

    def _end_revoked(self) -> None:
        for end in self._enders:
            end.end_revoked(self.book.list.revoked)
        self._feeding.end_revoked()

    async def serve(self, children: Server) -> None:
        """Add what those below ask for to their port, and to the one for joining."""
        await children.bind()
        parents: Sequence[str] = (self._settings.advertise or f":{children.port}",)
        servicer = EnrolServicer(self._desk, parents=parents, clock=self._clock)
        for server in (children, self.enrol):
            add_enrolment(server, servicer)
        add_feed(children, self._feeding)

    def works(self) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        """What runs beside."""
        expiring = [*(end.end_expired for end in self._enders), self._feeding.end_expired]
        return [
            ("renew the identity", self.renewing.run()),
            ("follow who may join", self._feed.run()),
            ("end streams with their certificates", end_expired(self._clock, *expiring)),
        ]
