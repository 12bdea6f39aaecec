"""A link that can be cut, held and mended: a TCP relay between a child and its parent."""

import asyncio
from types import TracebackType
from typing import Final, Self

from fogline.testing.gate import Gate


class Relay:
    """Forwards bytes to ``target`` (``host:port``). Enter it to listen on a free port of loopback."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.up: Final = Gate()
        """Closed: bytes to the parent wait."""
        self.down: Final = Gate()
        """Closed: bytes from the parent wait."""
        self.cut_after: int | None = None
        """After so many more bytes to the child the link breaks, in the middle of whatever is said."""
        self.refusing = False
        """True: connections are closed as soon as they are made."""
        self.connections = 0
        """How many were made."""
        self._writers: Final[set[asyncio.StreamWriter]] = set()
        self._server: asyncio.Server | None = None
        self._tasks: Final[set[asyncio.Task[None]]] = set()

    @property
    def address(self) -> str:
        """Where the child dials."""
        assert self._server is not None
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Break every connection; what is on its way is lost. New ones may be made unless ``refusing``."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            if not self.refusing:
                await self._join(reader, writer)
        except OSError:
            pass  # the target is away: to the child that is a broken link
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = self.target.rpartition(":")
        inner, outer = await asyncio.open_connection(host, int(port))
        ends = {writer, outer}
        self._writers.update(ends)
        try:
            tasks = [
                asyncio.ensure_future(_pump(reader, outer, self.up)),
                asyncio.ensure_future(self._pump_down(inner, writer)),
            ]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in tasks:
                    pump.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._writers.difference_update(ends)
            outer.transport.abort()

    async def _pump_down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            await self.down.pass_()
            if self.cut_after is not None:
                data, left = data[: self.cut_after], self.cut_after - len(data)
                self.cut_after = left if left > 0 else None
                if left <= 0:
                    writer.write(data)
                    return
            writer.write(data)
            await writer.drain()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: Gate) -> None:
    while data := await reader.read(65_536):
        await gate.pass_()
        writer.write(data)
        await writer.drain()
