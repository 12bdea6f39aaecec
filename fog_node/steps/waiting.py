"""Waiting for whichever comes first."""

import asyncio


async def first_of(*events: asyncio.Event, within_s: float) -> None:
    """Return when one of the events is set, or after this many seconds."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
