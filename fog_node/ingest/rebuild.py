"""After a start: the sessions, from the journal's blocks."""

from collections import deque
from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from fog_node.ingest.ports import Memory
from fog_node.ingest.session import Sessions, content_hashes
from fog_node.messages import QOS_BITS, Block
from fogline.model.part import Origin

LARGEST_WINDOW: Final = 65_535
"""A packet id is 16 bits wide: no device has more unacknowledged messages."""
LARGEST_REACH: Final = 1_000_000
"""What a broker may have under way: as many as the configuration in deploy/mosquitto lets it queue."""

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

    ``brokers``: senders whose repetitions may reach back farther than packet ids tell apart.

    A session counts as left when its last message arrived, and is present for as long as sessions are kept:
    how long its device wanted it to live is not in the journal.
    """
    clients: dict[str, _Seen] = {}
    for stream in streams:
        number = sessions.stream_number(stream)
        async for block in _newest_blocks(journal, stream, newest):
            _note(block, number, clients, brokers)
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


async def _newest_blocks(journal: Memory, stream: str, newest: int) -> AsyncIterator[Block]:
    starts: list[tuple[Origin, int, int]] = []
    for state in reversed(journal.origins(stream)):
        if newest <= 0:
            break
        starts.append((state.origin, max(state.base, state.end - newest), state.end))
        newest -= state.end - state.base
    for origin, first, end in reversed(starts):
        at = first
        while at < end:
            found = await journal.read(origin, at)
            if found is None:
                break
            if isinstance(found, Block):
                yield found
            at = found.end


def _note(block: Block, stream: int, clients: dict[str, _Seen], brokers: Collection[str]) -> None:
    with_id = (block.flags & QOS_BITS > 0) & (block.packet_ids > 0)
    if not with_id.any():
        return
    contents = content_hashes(block.topics, block.topic_codes.astype(np.intp), block.payloads)
    for code, client in enumerate(block.clients):
        rows = np.flatnonzero(with_id & (block.client_codes == code))
        if rows.size:
            piece = (
                block.arrival_us[rows],
                block.packet_ids[rows].astype(np.uint16),
                contents[rows],
                np.full(rows.size, stream, np.uint16),
            )
            if client not in clients:
                clients[client] = _Seen(LARGEST_REACH if client in brokers else LARGEST_WINDOW)
            clients[client].add(piece)
