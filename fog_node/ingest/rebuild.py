"""After a start: the sessions, from the journal.

A closed segment is read once in its life: a note beside it says who sent what, so that a start takes about as long
with a day's messages as with none.
"""

from collections import deque
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from fog_node.ingest.ports import Memory
from fog_node.ingest.sent import Sent, from_note, noted
from fog_node.ingest.session import Sessions
from fog_node.journal import Gap, SegmentState
from fog_node.messages import Block, joined

LARGEST_WINDOW: Final = 65_535
"""A packet id is 16 bits wide: no device has more unacknowledged messages."""
LARGEST_REACH: Final = 1_000_000
"""What a broker may have under way: as many as the configuration in deploy/mosquitto lets it queue."""

TOGETHER: Final = 8_192
"""Messages that are looked at in one go."""

Piece = tuple[npt.NDArray[np.int64], npt.NDArray[np.uint16], npt.NDArray[np.int64], npt.NDArray[np.uint16]]


@dataclass(slots=True)
class _Seen:
    """One client's newest messages, as pieces of (arrival, packet id, content, stream); stream after stream."""

    limit: int
    older: Piece | None = None
    """Those of the streams before."""
    pieces: deque[Piece] = field(default_factory=deque)
    count: int = 0

    def add(self, piece: Piece) -> None:
        if self.pieces and self.pieces[-1][3][0] != piece[3][0]:
            self.older, self.pieces, self.count = self.newest(), deque(), 0
        # A clock that was set back does not change the order of a stream.
        floor = self.pieces[-1][0][-1] if self.pieces else piece[0][0]
        self.pieces.append((np.maximum.accumulate(np.maximum(piece[0], floor)), *piece[1:]))
        self.count += len(piece[0])
        while self.count - len(self.pieces[0][0]) >= self.limit:
            self.count -= len(self.pieces.popleft()[0])

    def newest(self) -> Piece:
        """The last messages in order of arrival; of one stream's the order is the journal's."""
        pieces = [*self.pieces] if self.older is None else [self.older, *self.pieces]
        arrivals, ids, contents, streams = (np.concatenate(column) for column in zip(*pieces, strict=True))
        if self.older is None:
            last = slice(-self.limit, None)
            return arrivals[last], ids[last], contents[last], streams[last]
        order = np.argsort(arrivals, kind="stable")[-self.limit :]
        return arrivals[order], ids[order], contents[order], streams[order]


async def rebuild_sessions(
    journal: Memory,
    streams: Iterable[str],
    sessions: Sessions,
    *,
    newest: int,
    keep_us: int,
    now_us: int,
    brokers: Collection[str] = (),
) -> int:
    """Recall who sent what, from the newest messages of each stream; returns how many sessions there are.

    ``newest``: so many messages of each stream, and the rest of the oldest segment that is needed for that.

    ``brokers``: senders whose repetitions may reach back farther than packet ids tell apart.

    A session counts as left when its last message arrived, and is present for as long as sessions are kept:
    how long its device wanted it to live is not in the journal.
    """
    clients: dict[str, _Seen] = {}
    for stream in streams:
        number = sessions.stream_number(stream)
        for segment in _newest(journal.segments(stream), newest):
            async for sent in sent_in(journal, segment):
                _recall(sent, number, clients, brokers)
    for client, seen in clients.items():
        arrivals, ids, contents, numbers = seen.newest()
        session = sessions.recall(
            client,
            window=LARGEST_WINDOW,
            reach=seen.limit,
            alive_until_us=int(arrivals[-1]) + keep_us,
            left_at_us=int(arrivals[-1]),
        )
        session.remember(numbers, ids, contents)
    sessions.expire(now_us)
    return len(sessions)


async def sent_in(journal: Memory, segment: SegmentState) -> AsyncIterator[Sent]:
    """Who sent what in a segment, in parts that follow each other; leaves a note where there is none."""
    note = await journal.note(segment)
    known = from_note(note) if note is not None else None
    if known is not None:
        yield known
        return
    parts: list[Sent] = []
    whole = True
    async for found in _together(journal, segment):
        if isinstance(found, Gap):
            whole = False
        else:
            parts.append(Sent.of(found))
            yield parts[-1]
    if segment.closed and whole:
        journal.leave_note(segment, noted(parts))


def _newest(segments: Sequence[SegmentState], newest: int) -> Sequence[SegmentState]:
    for number in reversed(range(len(segments))):
        if newest <= 0:
            return segments[number + 1 :]
        newest -= segments[number].end - segments[number].first
    return segments


async def _together(journal: Memory, segment: SegmentState) -> AsyncIterator[Block | Gap]:
    """The blocks of a segment, small ones as one: a batch costs much the same for a thousand messages as for ten."""
    blocks: list[Block] = []
    at, messages = segment.first, 0
    while at < segment.end:
        found = await journal.read(segment.origin, at)
        if found is None:
            break
        at = found.end
        if isinstance(found, Block):
            blocks.append(found)
            messages += len(found)
        if blocks and (isinstance(found, Gap) or messages >= TOGETHER):
            yield joined(blocks)
            blocks, messages = [], 0
        if isinstance(found, Gap):
            yield found
    if blocks:
        yield joined(blocks)


def _recall(sent: Sent, stream: int, clients: dict[str, _Seen], brokers: Collection[str]) -> None:
    for client, arrivals, ids, contents in sent.by_client():
        if client not in clients:
            clients[client] = _Seen(LARGEST_REACH if client in brokers else LARGEST_WINDOW)
        clients[client].add((arrivals, ids, contents, np.full(len(ids), stream, np.uint16)))
