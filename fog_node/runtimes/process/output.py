"""The newest output of a process, in memory and bounded; whoever follows it is told what comes."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from fog_node.runtimes.runtime import Output

KEPT_BYTES: Final = 1024**2
CHUNK: Final = 65536
BYTES_PER_S: Final = 4 * 1024**2
"""A process that writes more waits: reading a flood must not cost the node its CPU."""


class Kept:
    """The last bytes that a process wrote. What followers have not read when it goes is left out for them."""

    def __init__(self) -> None:
        self._chunks: Final[deque[Output]] = deque()
        self._bytes = 0
        self._written = 0
        """Chunks that ever came."""
        self.received = 0
        """Bytes that ever came."""
        self._more: Final = asyncio.Condition()
        self._ended = False

    async def read(self, reader: asyncio.StreamReader, channel: int) -> None:
        """Keep what comes until the writers have closed it."""
        while data := await reader.read(CHUNK):
            await self.add(Output(channel, data))
            if len(data) > CHUNK // 16:
                await asyncio.sleep(len(data) / BYTES_PER_S)

    async def add(self, output: Output) -> None:
        """Take a chunk; the oldest go."""
        async with self._more:
            self._chunks.append(output)
            self._bytes += len(output.data)
            self.received += len(output.data)
            self._written += 1
            while self._bytes > KEPT_BYTES:
                self._bytes -= len(self._chunks.popleft().data)
            self._more.notify_all()

    async def end(self) -> None:
        """Nothing more will come."""
        async with self._more:
            self._ended = True
            self._more.notify_all()

    async def follow(self, *, tail: int, follow: bool) -> AsyncIterator[Output]:
        """The last ``tail`` lines, then, if wanted, what comes until the end."""
        seen = self._written
        for output in _tail(tuple(self._chunks), tail):
            yield output
        while follow:
            new = await self._after(seen)
            seen = self._written
            if not new:
                return
            for output in new:
                yield output

    async def _after(self, seen: int) -> list[Output]:
        """What came after the first ``seen`` chunks, as far as it is kept; nothing if all has ended."""
        async with self._more:
            await self._more.wait_for(lambda: self._ended or self._written > seen)
            fresh = min(self._written - seen, len(self._chunks))
            return list(self._chunks)[len(self._chunks) - fresh :]


def _tail(chunks: tuple[Output, ...], lines: int) -> list[Output]:
    """The chunks' end, from the last ``lines`` lines on."""
    taken: list[Output] = []
    left = lines
    for number, chunk in enumerate(reversed(chunks)):
        # The newline at the very end belongs to the last line.
        cut = len(chunk.data) - int(number == 0 and chunk.data.endswith(b"\n"))
        while left and (cut := chunk.data.rfind(b"\n", 0, cut)) >= 0:
            left -= 1
        taken.append(Output(chunk.channel, chunk.data[cut + 1 :] if left == 0 else chunk.data))
        if left == 0:
            break
    return [output for output in reversed(taken) if output.data]
