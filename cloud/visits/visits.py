"""What somebody looks into together: one or several containers, each by a session of its own."""

import asyncio
from collections import deque
from dataclasses import dataclass
from secrets import token_hex
from types import TracebackType
from typing import Final, Self

from fogline.control.sessions import CHUNK, WINDOW, failure
from fogline.control.switchboard import Switchboard
from fogline.model.errors import FogError, Unavailable
from fogline.v1 import control_pb2

CREDIT_EVERY: Final = WINDOW // 4
"""What was taken is told the node once it is so much."""
ANSWER_S: Final = 15.0
"""A node that says nothing at all for so long hangs, or is of a release that knows no sessions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of one container."""

    place: int
    """As many visits were opened before it."""
    channel: int = 0
    data: bytes = b""
    dropped: int = 0
    """Bytes that were left out before ``data``."""
    exit_code: int | None = None
    """It has ended, and well."""
    error: FogError | None = None
    """It has ended, and why."""

    @property
    def ended(self) -> bool:
        """Whether nothing more comes of it."""
        return self.error is not None or self.exit_code is not None


class Visits:
    """Sessions that end together. Leave it, and every node is told."""

    def __init__(self, board: Switchboard, tenant: str, among: set["Visits"]) -> None:
        """``among``: those that are entered and not left, for whoever lets go of all."""
        self._board: Final = board
        self._tenant: Final = tenant
        self._among: Final = among
        self._visits: Final[list[_Visit]] = []
        self._told: Final[deque[Told]] = deque()
        self._news: Final = asyncio.Event()
        self._failed: FogError | None = None

    def __enter__(self) -> Self:
        self._among.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._among.discard(self)
        for visit in self._visits:
            visit.cancel()

    @property
    def count(self) -> int:
        """How many were opened."""
        return len(self._visits)

    def open(self, node: str, ask: control_pb2.SessionAsk) -> "_Visit":
        """Look into one more. Raises :class:`FogError` if it cannot be asked."""
        visit = _Visit(self, self._board, len(self._visits))
        self._visits.append(visit)
        self._board.ask(self._tenant, control_pb2.SessionInput(id=visit.name, node=node, ask=ask), visit.hear)
        return visit

    def fail(self, error: FogError) -> None:
        """Whoever waits for :meth:`next` is told so."""
        self._failed = error
        self._news.set()

    def wake(self) -> None:
        """Something has changed for whoever waits."""
        self._news.set()

    def tell(self, told: Told) -> None:
        """Something came."""
        self._told.append(told)
        self._news.set()

    async def next(self) -> Told:
        """What comes next, of whichever. Raises what :meth:`fail` was given."""
        while not self._told:
            if self._failed is not None:
                raise self._failed
            self._news.clear()
            silent = [visit for visit in self._visits if not visit.answered]
            try:
                async with asyncio.timeout(ANSWER_S if silent else None):
                    await self._news.wait()
            except TimeoutError:
                for visit in silent:
                    visit.give_up()
        told = self._told.popleft()
        self._visits[told.place].taken(len(told.data))
        return told


class _Visit:
    def __init__(self, visits: Visits, board: Switchboard, place: int) -> None:
        self.name: Final = token_hex(8)
        self._visits: Final = visits
        self._board: Final = board
        self._place: Final = place
        self._waiting = 0
        self._owed = 0
        self._room = WINDOW
        self._moved: Final = asyncio.Event()
        self._over = False
        self._answered = False

    @property
    def answered(self) -> bool:
        """Whether its node has said anything."""
        return self._answered or self._over

    def give_up(self) -> None:
        """Its node has not said anything for too long."""
        if self.answered:
            return
        self.cancel()
        hint = "it hangs, or its release is older and knows no sessions: `fogline nodes` says which it is"
        self._end(Told(place=self._place, error=Unavailable("the node does not answer", hint=hint)))

    def hear(self, output: control_pb2.SessionOutput) -> None:
        """What its node says."""
        if not self._answered:
            self._answered = True
            self._visits.wake()
        if output.credit:
            self._room += output.credit
            self._moved.set()
        self._waiting += len(output.data)
        if self._waiting > WINDOW:
            self.cancel()
            self._end(Told(place=self._place, error=Unavailable("the node sends more than it was allowed")))
            return
        if output.data or output.dropped:
            self._visits.tell(
                Told(place=self._place, channel=output.channel, data=output.data, dropped=output.dropped)
            )
        if output.end:
            error = failure(output)
            code = None if error is not None else output.exit_code
            self._end(Told(place=self._place, exit_code=code, error=error))

    def taken(self, size: int) -> None:
        """The asker has read so much."""
        self._waiting -= size
        self._owed += size
        if self._owed >= CREDIT_EVERY and not self._over:
            self._feed(credit=self._owed)
            self._owed = 0

    async def give(self, data: bytes) -> None:
        """Feed it; returns once the node has room for more."""
        while data and not self._over:
            while self._room <= 0 and not self._over:
                self._moved.clear()
                await self._moved.wait()
            size = min(CHUNK, self._room)
            self._room -= len(data[:size])
            self._feed(data=data[:size])
            data = data[size:]

    def end_input(self) -> None:
        """Nothing more is fed."""
        self._feed(end=True)

    def cancel(self) -> None:
        """Nobody asks any more."""
        if not self._over:
            self._over = True
            self._feed(cancel=True)

    def _end(self, told: Told) -> None:
        self._over = True
        self._moved.set()
        self._visits.tell(told)

    def _feed(self, *, data: bytes = b"", end: bool = False, cancel: bool = False, credit: int = 0) -> None:
        self._board.feed(
            control_pb2.SessionInput(id=self.name, data=data, end=end, cancel=cancel, credit=credit)
        )
