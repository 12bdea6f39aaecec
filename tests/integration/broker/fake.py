"""A broker of bytes: it says what no real one would."""

import asyncio
from types import TracebackType
from typing import Self

import mqtt5

PATIENCE_S = 30.0
WELCOME = mqtt5.ConnAckPacket().write()


class Peer:
    """The node's end of one connection, as the broker sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._data = b""

    async def packet(self) -> mqtt5.Packet | None:
        """What the node says next; None when it has closed."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                length = _length(self._data)
                if length is not None and len(self._data) >= length:
                    packet, _ = mqtt5.read(memoryview(self._data[:length]))
                    self._data = self._data[length:]
                    return packet
                try:
                    more = await self._reader.read(65_536)
                except ConnectionError:
                    return None
                if not more:
                    return None
                self._data += more

    async def until(self, *kinds: type[object]) -> mqtt5.Packet:
        """The next packet of these kinds; others are skipped."""
        while True:
            packet = await self.packet()
            assert packet is not None, "the node closed the connection"
            if isinstance(packet, kinds):
                return packet

    async def closed(self) -> list[mqtt5.Packet]:
        """What the node still says before it closes."""
        said = []
        while (packet := await self.packet()) is not None:
            said.append(packet)
        return said

    def send(self, *data: bytes) -> None:
        self._writer.write(b"".join(data))

    def cut(self) -> None:
        """Break the connection."""
        self._writer.transport.abort()


class FakeBroker:
    """Listens on a free port; each connection of the node comes out of :meth:`peer`."""

    def __init__(self) -> None:
        self._peers: asyncio.Queue[Peer] = asyncio.Queue()
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"mqtt://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        await self._peers.put(Peer(reader, writer))

    async def peer(self) -> Peer:
        """The next connection, before its CONNECT was read."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._peers.get()

    async def welcomed(self, welcome: bytes = WELCOME) -> Peer:
        """The next connection, let in."""
        peer = await self.peer()
        assert isinstance(await peer.packet(), mqtt5.ConnectPacket)
        peer.send(welcome)
        return peer


def _length(data: bytes) -> int | None:
    length, at = 0, 1
    while at < len(data):
        length |= (data[at] & 0x7F) << 7 * (at - 1)
        at += 1
        if data[at - 1] < 0x80:
            return at + length
    return None
