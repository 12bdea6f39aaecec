"""A device that never loses a message: MQTT 3.1.1 from the standard's text, on the standard library alone.

It keeps what is not acknowledged, and after a reconnect sends it again, in order, with DUP set.
"""

import asyncio
import contextlib
from collections import OrderedDict
from typing import Final

RECONNECT_S: Final = 0.05
"""Between two attempts to reach a listener that is away."""
SILENT_S: Final = 5.0
"""A connection without a word for so long, while answers are due, is given up, if nothing else is said."""


def _text(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


def _packet(kind: int, body: bytes) -> bytes:
    length, size = bytearray(), len(body)
    while True:
        size, digit = divmod(size, 128)
        length.append(digit | (128 if size else 0))
        if not size:
            return bytes([kind]) + bytes(length) + body


class Device:
    """Publishes at QoS 1 with a persistent session; :attr:`acknowledged` counts what the listener took."""

    def __init__(
        self, name: str, host: str, port: int, *, in_flight: int, patience_s: float = SILENT_S
    ) -> None:
        self._name: Final = name.encode()
        self._address: Final = (host, port)
        self._patience_s: Final = patience_s
        self._room: Final = asyncio.Semaphore(in_flight)
        self._waiting: OrderedDict[int, bytes] = OrderedDict()
        self._next_id = 1
        self._writer: asyncio.StreamWriter | None = None
        self._all_taken: Final = asyncio.Event()
        self._all_taken.set()
        self._plugged: Final = asyncio.Event()
        self._plugged.set()
        self._transport: asyncio.WriteTransport | None = None
        self.acknowledged = 0
        self.repeated = 0
        self.connections = 0

    async def publish(self, topic: bytes, payload: bytes) -> None:
        """Hand a message over; waits while too many are unacknowledged."""
        await self._room.acquire()
        packet_id = self._free_id()
        body = _text(topic) + packet_id.to_bytes(2, "big") + payload
        self._waiting[packet_id] = body
        self._all_taken.clear()
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(_packet(0x32, body))

    async def flush(self) -> None:
        """Let the socket catch up."""
        if self._writer is not None:
            with contextlib.suppress(OSError):
                await self._writer.drain()

    def unplug(self) -> None:
        """Cut the wire in this instant: nothing that is under way arrives any more."""
        self._plugged.clear()
        if self._transport is not None:
            self._transport.abort()

    def plug_in(self) -> None:
        """Mend the wire."""
        self._plugged.set()

    async def all_taken(self) -> None:
        """Return when everything was acknowledged."""
        await self._all_taken.wait()

    async def run(self) -> None:
        """Stay connected, for ever."""
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                await self._connection()
            self._writer = None
            await asyncio.sleep(RECONNECT_S)

    async def _connection(self) -> None:
        await self._plugged.wait()
        reader, writer = await asyncio.open_connection(*self._address)
        self._transport = writer.transport
        try:
            writer.write(_packet(0x10, _text(b"MQTT") + bytes([4, 0, 0, 60]) + _text(self._name)))
            answer = await asyncio.wait_for(reader.readexactly(4), self._patience_s)
            if answer[0] != 0x20 or answer[3] != 0:
                return
            self.connections += 1
            for body in self._waiting.values():
                writer.write(_packet(0x3A, body))
                self.repeated += 1
            self._writer = writer
            await self._answers(reader)
        finally:
            writer.close()

    async def _answers(self, reader: asyncio.StreamReader) -> None:
        while True:
            if not self._plugged.is_set():
                return
            if self._waiting:
                header = await asyncio.wait_for(reader.readexactly(4), self._patience_s)
            else:
                header = await reader.readexactly(4)
            if header[0] != 0x40 or not self._plugged.is_set():
                return
            if self._waiting.pop(int.from_bytes(header[2:], "big"), None) is not None:
                self.acknowledged += 1
                self._room.release()
                if not self._waiting:
                    self._all_taken.set()

    def _free_id(self) -> int:
        while self._next_id in self._waiting:
            self._next_id = self._next_id % 65535 + 1
        packet_id, self._next_id = self._next_id, self._next_id % 65535 + 1
        return packet_id
