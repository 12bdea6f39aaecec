"""A journal in memory whose disk can be held up, and a device that speaks bytes."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Self

import numpy as np

from fog_node.journal import Gap, JournalFull, SegmentState
from fog_node.messages import Block, Messages
from fogline.model.part import Origin

PATIENCE_S = 10.0


class HeldJournal:
    """Keeps messages in memory. While it is held, appends wait, as they do for a slow disk."""

    def __init__(self) -> None:
        self.blocks: dict[str, list[Block]] = {}
        self.redelivered: Counter[str] = Counter()
        self.retained: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.full: Collection[str] = ()
        self.reached = asyncio.Event()
        """Set when an append waits."""
        self._open = asyncio.Event()
        self._open.set()

    def hold(self) -> None:
        """From now on appends wait."""
        self.reached.clear()
        self._open.clear()

    def let_go(self) -> None:
        """The appends that wait return."""
        self._open.set()

    async def append(self, stream: str, messages: Messages) -> None:
        if not self._open.is_set():
            self.reached.set()
        await self._open.wait()
        if stream in self.full:
            self.refused[stream] += len(messages)
            raise JournalFull(f"no room for {stream}")
        blocks = self.blocks.setdefault(stream, [])
        first, count = (blocks[-1].end if blocks else 0), len(messages)
        blocks.append(
            Block(
                origin=self._origin(stream),
                first=first,
                end=first + count,
                arrival_us=np.full(count, messages.arrival_us, np.int64),
                topics=tuple(messages.topics),
                topic_codes=np.asarray(messages.topic_codes, np.uint32),
                clients=(messages.client,),
                client_codes=np.zeros(count, np.uint32),
                packet_ids=np.asarray(messages.packet_ids, np.uint16),
                flags=np.frombuffer(messages.flags, np.uint8),
                payloads=tuple(messages.payloads),
            )
        )

    def count(
        self,
        stream: str,
        *,
        refused: Mapping[str, int] | None = None,
        redelivered: int = 0,
        retained: int = 0,
    ) -> None:
        self.redelivered[stream] += redelivered
        self.retained[stream] += retained

    def segments(self, stream: str) -> Sequence[SegmentState]:
        blocks = self.blocks.get(stream, [])
        end = blocks[-1].end if blocks else 0
        return [SegmentState(self._origin(stream), 0, end, closed=False)]

    async def note(self, segment: SegmentState) -> bytes | None:
        return None

    def leave_note(self, segment: SegmentState, content: bytes) -> None:
        raise AssertionError(segment)

    async def read(self, origin: Origin, first: int) -> Block | Gap | None:
        for block in self.blocks.get(origin.stream, []):
            if block.first <= first < block.end:
                return block.since(first)
        return None

    def payloads(self, stream: str = "air") -> list[bytes]:
        """Every payload that was journaled."""
        return [payload for block in self.blocks.get(stream, []) for payload in block.payloads]

    def flags(self, stream: str = "air") -> list[int]:
        """The flags of every message that was journaled."""
        return [int(flag) for block in self.blocks.get(stream, []) for flag in block.flags]

    def _origin(self, stream: str) -> Origin:
        return Origin(tenant="main", node="test", stream=stream, epoch=bytes(16))


class Wire:
    """A device that sends bytes and waits for bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    @asynccontextmanager
    async def open(cls, port: int, *greeting: bytes) -> AsyncIterator[Self]:
        """Connect; with a greeting, wait for the CONNACK."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        wire = cls(reader, writer)
        try:
            if greeting:
                wire.send(*greeting)
                assert (await wire.packet())[0] == 0x20
            yield wire
        finally:
            writer.transport.abort()

    def send(self, *data: bytes) -> None:
        """Write; there is nothing to wait for."""
        self._writer.write(b"".join(data))

    def finish(self) -> None:
        """Nothing more will be sent."""
        self._writer.write_eof()

    def pause(self) -> None:
        """Read nothing from now on."""
        transport = self._writer.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()

    async def packet(self) -> bytes:
        """The next packet; empty when the connection has ended."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                head = await self._reader.readexactly(2)
                return head + await self._reader.readexactly(head[1])
            except (asyncio.IncompleteReadError, ConnectionResetError):
                return b""

    async def ended(self) -> bool:
        """Whether the listener ends the connection, whatever it says before."""
        while await self.packet():
            pass
        return True
