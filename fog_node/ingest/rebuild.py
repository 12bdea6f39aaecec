"""After a start: the sessions, from the journal's blocks."""

from collections.abc import AsyncIterator, Iterable
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


@dataclass(slots=True)
class _Seen:
    """One client's messages, as pieces of (arrival, packet id, content, stream)."""

    pieces: list[tuple[npt.NDArray[np.int64], ...]] = field(default_factory=list)
    count: int = 0

    def add(self, piece: tuple[npt.NDArray[np.int64], ...]) -> None:
        self.pieces.append(piece)
        self.count += len(piece[0])
        if self.count > 2 * LARGEST_WINDOW:
            self.pieces = [self.newest()]
            self.count = len(self.pieces[0][0])

    def newest(self) -> tuple[npt.NDArray[np.int64], ...]:
        """The last messages in order of arrival; of one stream's the order is the journal's."""
        arrivals, *others = (np.concatenate(column) for column in zip(*self.pieces, strict=True))
        order = np.argsort(arrivals, kind="stable")[-LARGEST_WINDOW:]
        return (arrivals[order], *(column[order] for column in others))


async def rebuild_sessions(
    journal: Memory,
    streams: Iterable[str],
    sessions: Sessions,
    *,
    newest: int,
    keep_us: int,
    now_us: int,
) -> int:
    """Recall who sent what, from the newest messages of each stream; returns how many sessions there are.

    A session counts as left when its last message arrived, and is present for as long as sessions are kept:
    how long its device wanted it to live is not in the journal.
    """
    clients: dict[str, _Seen] = {}
    for stream in streams:
        number = sessions.stream_number(stream)
        async for block in _newest_blocks(journal, stream, newest):
            _note(block, number, clients)
    for client, seen in clients.items():
        arrivals, ids, contents, numbers = seen.newest()
        session = sessions.recall(
            client,
            window=LARGEST_WINDOW,
            alive_until_us=int(arrivals[-1]) + keep_us,
            left_at_us=int(arrivals[-1]),
        )
        session.remember(numbers.astype(np.uint16), ids.astype(np.uint16), contents)
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


def _note(block: Block, stream: int, clients: dict[str, _Seen]) -> None:
    with_id = (block.flags & QOS_BITS > 0) & (block.packet_ids > 0)
    if not with_id.any():
        return
    contents = content_hashes(block.topics, block.topic_codes.astype(np.intp), block.payloads)
    for code, client in enumerate(block.clients):
        rows = np.flatnonzero(with_id & (block.client_codes == code))
        if rows.size:
            piece = (
                block.arrival_us[rows],
                block.packet_ids[rows].astype(np.int64),
                contents[rows],
                np.full(rows.size, stream, np.int64),
            )
            clients.setdefault(client, _Seen()).add(piece)
