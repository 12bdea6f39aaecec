"""A socket between node and operator that spoils what passes, as an operator that is no gRPC server at all could."""

import asyncio
import shutil
import tempfile
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum, auto
from pathlib import Path

LET_THROUGH = 4_096
"""Bytes of the operator's that pass: its greeting, and a part of its first answer."""
DRIP_S = 0.05


class Manner(Enum):
    """How it is spoiled."""

    NO_WORD = auto()
    """Nothing is read, and nothing said."""
    NO_HTTP = auto()
    """What is said is no HTTP/2."""
    HALF = auto()
    """The connection ends in the middle of an answer."""
    DRIP = auto()
    """From there on a byte now and then."""


@asynccontextmanager
async def breaking(operator: Path, manner: Manner) -> AsyncIterator[Path]:
    """The socket to dial instead of the operator's."""
    folder = Path(tempfile.mkdtemp(prefix="fl-"))
    open_ones: set[asyncio.Task[None]] = set()

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_ones.add(task)
        try:
            with suppress(OSError):
                await _spoil(operator, manner, reader, writer)
        finally:
            open_ones.discard(task)
            writer.close()

    server = await asyncio.start_unix_server(serve, folder / "s")
    try:
        yield folder / "s"
    finally:
        server.close()
        for task in tuple(open_ones):
            task.cancel()
        if open_ones:
            await asyncio.wait(tuple(open_ones))
        await server.wait_closed()
        shutil.rmtree(folder)


async def _spoil(operator: Path, manner: Manner, reader: StreamReader, writer: StreamWriter) -> None:
    if manner is Manner.NO_WORD:
        await asyncio.Event().wait()
    if manner is Manner.NO_HTTP:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + b"\0" * 100)
        await writer.drain()
        return
    there, back = await asyncio.open_unix_connection(operator)
    asking = asyncio.create_task(_pass(reader, back))
    try:
        passed = 0
        while data := await there.read(LET_THROUGH - passed):
            passed += len(data)
            writer.write(data)
            await writer.drain()
        if manner is Manner.DRIP:
            while data := await there.read(1):
                writer.write(data)
                await asyncio.sleep(DRIP_S)
    finally:
        asking.cancel()
        await asyncio.wait((asking,))
        back.close()


async def _pass(reader: StreamReader, writer: StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
