"""The sessions of a node: each a task of its own, all of them bounded, and gone with the stream that they came by."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from fog_node.sessions.answering import Answering
from fog_node.sessions.session import Session
from fogline.control.post import Post
from fogline.control.sessions import LOGS, NODE_SESSIONS, POST_BYTES, TooManySessions, ending, size_of
from fogline.model.errors import FogError, InvalidInput, Unavailable
from fogline.v1 import control_pb2


@dataclass(frozen=True, slots=True)
class _Open:
    session: Session
    task: asyncio.Task[None]


class ContainerSessions:
    """A :class:`fogline.control.sessions.ChildSessions`. Open while the node runs."""

    def __init__(self, answering: Answering) -> None:
        self._answering: Final = answering
        self._open: Final[dict[str, _Open]] = {}
        self._group: asyncio.TaskGroup | None = None
        self.post: Final[Post[control_pb2.SessionOutput]] = Post(most_bytes=POST_BYTES, size=size_of)
        """What waits for the parent."""

    async def __aenter__(self) -> Self:
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        group, self._group = self._group, None
        assert group is not None
        self.lost()
        await group.__aexit__(None, None, None)

    @property
    def open(self) -> int:
        """Sessions that are open."""
        return len(self._open)

    def hear(self, inputs: Sequence[control_pb2.SessionInput]) -> None:
        """What came down."""
        for asked in inputs:
            if asked.HasField("ask"):
                self._begin(asked)
            elif asked.cancel:
                self._end(asked.id)
            else:
                self._feed(asked)

    def lost(self) -> None:
        """The stream has ended: whoever asked hears nothing any more."""
        for session in tuple(self._open):
            self._end(session)
        self.post.clear()

    def _begin(self, asked: control_pb2.SessionInput) -> None:
        name, ask = asked.id, asked.ask
        try:
            if self._group is None or len(self._open) >= NODE_SESSIONS:
                raise TooManySessions(f"node {asked.node} has {len(self._open)} sessions open already")
            if name in self._open or ask.what not in self._answering.kinds:
                raise InvalidInput(f"the node cannot begin a session for {ask.what!r}")
        except FogError as error:
            self.post.force(ending(name, error))
            return
        # An asker that hears nothing cannot tell a quiet container from a node that hangs, or is of an older release.
        self.post.force(control_pb2.SessionOutput(id=name))
        session = Session(name, self.post, lossy=ask.what == LOGS and ask.follow)
        task = self._group.create_task(self._serve(name, ask, session), name=f"session: {ask.what}")
        self._open[name] = _Open(session, task)
        self._feed(asked)

    async def _serve(self, name: str, ask: control_pb2.SessionAsk, session: Session) -> None:
        try:
            code = await self._answering.kinds[ask.what](ask, session)
            last = control_pb2.SessionOutput(id=name, end=True, exit_code=code)
        except FogError as error:
            last = ending(name, error)
        except OSError as error:
            last = ending(name, Unavailable(f"the node could not: {error}"))
        await session.finish(last)
        self._open.pop(name, None)

    def _feed(self, fed: control_pb2.SessionInput) -> None:
        there = self._open.get(fed.id)
        if there is None:
            return
        try:
            there.session.feed(fed)
        except FogError as error:
            self._end(fed.id)
            self.post.force(ending(fed.id, error))

    def _end(self, name: str) -> None:
        there = self._open.pop(name, None)
        if there is not None:
            there.task.cancel()
