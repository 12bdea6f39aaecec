"""A socket that is read in large pieces into a conversation."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Generic, Protocol, TypeVar

READ_BYTES: Final = 256 * 1024
FULL_READ_BYTES: Final = 64 * 1024
"""A read of so many bytes is worth its cost."""
PACE_WINDOW_S: Final = 0.02
BUSY_READS: Final = 10
"""With so many reads in a window the listener is busy."""
LEAST_READ_BYTES: Final = 4 * 1024
"""Read at least this much even when the memory for bytes in hand is used up."""


class Talk(Protocol):
    """What a socket needs of a conversation."""

    @property
    def waiting_bytes(self) -> int:
        """Bytes received and not yet part of an action."""
        ...

    def received(self, data: bytes) -> None:
        """Take bytes from the other side."""
        ...


C = TypeVar("C", bound=Talk)


class Pacing(Protocol):
    """Decides how long a connection is left alone after a read."""

    def read(self, now: float, count: int) -> None:
        """So many bytes were read."""
        ...

    def rest_s(self, last_read_bytes: int) -> float:
        """How long to leave a connection alone after a read of so many bytes. Unit: seconds."""
        ...


class Pace:
    """When many small reads come, a connection is left alone for a moment after each, so that fewer, larger
    ones do.

    A read costs about as much as two hundred messages. One device in lock step stays below the limit and
    never waits.
    """

    def __init__(self, gather_s: float) -> None:
        self.gather_s: Final = gather_s
        self._since = 0.0
        self._reads = 0
        self._busy = False

    def read(self, now: float, count: int) -> None:  # noqa: ARG002  (that it was a read is what costs)
        """Count a read."""
        self._reads += 1
        if now - self._since >= PACE_WINDOW_S:
            self._busy = self._reads >= BUSY_READS and now - self._since < 2 * PACE_WINDOW_S
            self._since, self._reads = now, 0

    def rest_s(self, last_read_bytes: int) -> float:
        """How long to leave a connection alone after a read of so many bytes. Unit: seconds."""
        return self.gather_s if self._busy and last_read_bytes < FULL_READ_BYTES else 0.0


class Hand:
    """Bytes that were read and are not yet on disk, over all connections; and the one buffer that all read
    into.
    """

    def __init__(self, limit: int, pace: Pacing) -> None:
        self.pace: Final = pace
        self._limit: Final = limit
        self._buffer: Final = memoryview(bytearray(READ_BYTES))
        self._waiting: dict[Connection[Any], None] = {}
        self.held = 0
        self.at_work = 0
        """Connections whose last read is not dealt with yet."""

    def buffer(self) -> memoryview:
        """Room for the next read."""
        return self._buffer[: max(LEAST_READ_BYTES, min(READ_BYTES, self._limit - self.held))]

    def read(self, count: int) -> bytes:
        """The bytes that the last read brought, now in hand."""
        self.held += count
        return bytes(self._buffer[:count])

    def drop(self, count: int) -> None:
        """These bytes are dealt with; whoever waits for room reads on."""
        self.held -= count
        while self._waiting and self.held < self._limit:
            connection = next(iter(self._waiting))
            del self._waiting[connection]
            connection.read_on()

    def wait(self, connection: "Connection[Any]") -> bool:
        """Whether the connection must wait for room; it is told when there is some."""
        if self.held < self._limit:
            return False
        self._waiting[connection] = None
        return True

    def leave(self, connection: "Connection[Any]") -> None:
        """The connection has ended."""
        self._waiting.pop(connection, None)

    @property
    def stuck(self) -> bool:
        """Whether the memory is full of packets that are not whole, so that nothing will ever free it."""
        return self.held >= self._limit and not self.at_work


class Connection(asyncio.BufferedProtocol, Generic[C]):
    """One connection's socket. Reads once, then not again before :meth:`resume`: the other side feels how fast
    the disk is.
    """

    def __init__(self, conversation: C, hand: Hand, monotonic: Callable[[], float]) -> None:
        self.conversation: Final = conversation
        self.finished: Final = asyncio.Event()
        """Set when nothing of this connection is on its way to the journal any more."""
        self.in_hand = 0
        self.heard_at: float = monotonic()
        """When the device last had the chance to be heard and was, or the chance began. Unit: seconds,
        monotonic.
        """
        self.stalled_at: float | None = None
        """Since when the device does not read what is written to it."""
        self.last_read_bytes = 0
        self.reading = False
        self.stop_reason: str | None = None
        self._hand: Final = hand
        self._monotonic: Final = monotonic
        self._transport: asyncio.Transport | None = None
        self._lost = False
        self._working = 0
        self._wake: Final = asyncio.Event()
        self._writable: Final = asyncio.Event()
        self._writable.set()
        self._gone: Final = asyncio.Event()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket, and TLS if there is any, are up."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.reading = True

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  (asyncio's signature)
        """Where to read to."""
        return self._hand.buffer()

    def buffer_updated(self, nbytes: int) -> None:
        """Something was read; the next read waits until it is dealt with."""
        assert self._transport is not None
        self.conversation.received(self._hand.read(nbytes))
        self.in_hand += nbytes
        self.last_read_bytes = nbytes
        self.heard_at = self._monotonic()
        self._hand.pace.read(self.heard_at, nbytes)
        self._transport.pause_reading()
        self.reading = False
        self._at_work(1)
        self._wake.set()

    def pause_writing(self) -> None:
        """The device does not read its acknowledgements."""
        self.stalled_at = self._monotonic()
        self._writable.clear()

    def resume_writing(self) -> None:
        """The device reads again."""
        self.stalled_at = None
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  (asyncio's signature)
        """The socket is gone."""
        self._lost = True
        self._wake.set()
        self._writable.set()
        self._gone.set()

    # What the listener calls.

    @property
    def lost(self) -> bool:
        """Whether the socket is gone."""
        return self._lost

    async def news(self) -> bool:
        """Wait for bytes, the socket's end or :meth:`stop`; whether to go on."""
        await self._wake.wait()
        self._wake.clear()
        return self.stop_reason is None

    def write(self, data: bytes) -> None:
        """Send; nothing happens when the socket is gone."""
        if data and self._transport is not None and not self._lost:
            self._transport.write(data)

    async def drained(self) -> None:
        """Wait until the device reads what was written to it, or is gone."""
        await self._writable.wait()

    def settle(self) -> None:
        """What was read is dealt with, but for a packet that is not whole yet."""
        rest = self.conversation.waiting_bytes
        freed, self.in_hand = self.in_hand - rest, rest
        self._at_work(0)
        self._hand.drop(freed)

    def resume(self) -> None:
        """Read on, as soon as it is worth it and there is room."""
        rest_s = self._hand.pace.rest_s(self.last_read_bytes)
        if rest_s:
            asyncio.get_running_loop().call_later(rest_s, self._rested)
        else:
            self._rested()

    def _rested(self) -> None:
        if not self._lost and not self._hand.wait(self):
            self.read_on()

    def read_on(self) -> None:
        """Read on."""
        if self._transport is None or self._lost or self._transport.is_closing():
            return
        self.heard_at = self._monotonic()
        self.reading = True
        self._transport.resume_reading()

    def stop(self, reason: str) -> None:
        """Ask whoever serves this connection to end it; the first reason stands."""
        if self.stop_reason is None:
            self.stop_reason = reason
        self._writable.set()
        self._wake.set()

    def release(self) -> None:
        """Nothing is in hand any more."""
        self._hand.leave(self)
        self._at_work(0)
        freed, self.in_hand = self.in_hand, 0
        self._hand.drop(freed)

    def _at_work(self, now: int) -> None:
        self._hand.at_work += now - self._working
        self._working = now

    async def close(self, patience_s: float) -> None:
        """Flush and close; a device that does not read for so long is cut off."""
        if self._transport is None:
            return
        self._transport.close()
        try:
            async with asyncio.timeout(patience_s):
                await self._gone.wait()
        except TimeoutError:
            self._transport.abort()
