"""Ending a stream whose answers are still being written."""

import asyncio
from typing import Final

WRITE_OUT_S: Final = 1.0
"""How long a write may still take when its stream has ended; a child that does not read is not waited for."""


async def finished(writer: asyncio.Task[None]) -> None:
    """Wait until a task that writes to a stream has stopped by itself; cancel it after a while.

    A write that is cancelled leaves its operation in gRPC's core, which then refuses to send the stream's status:
    the other side would wait for ever.
    """
    await asyncio.wait((writer,), timeout=WRITE_OUT_S)
    writer.cancel()
