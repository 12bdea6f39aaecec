"""A batch's way into the journal, every stream's share at once."""

import asyncio
from collections.abc import Sequence

from fog_node.ingest.deliveries import Share
from fog_node.ingest.ports import Appender
from fog_node.journal import JournalFull


async def append_shares(journal: Appender, shares: Sequence[Share]) -> list[str]:
    """Return when all that the journal takes is on disk: the streams that had no room.

    Raises JournalClosed.
    """
    if len(shares) == 1:
        return await _append(journal, shares[0])
    async with asyncio.TaskGroup() as group:
        appends = [group.create_task(_append(journal, share)) for share in shares]
    return [stream for append in appends for stream in append.result()]


async def _append(journal: Appender, share: Share) -> list[str]:
    if share.redelivered:
        journal.count(share.stream, redelivered=share.redelivered)
    if share.messages is not None:
        try:
            await journal.append(share.stream, share.messages)
        except JournalFull:
            return [share.stream]
    if share.retained:
        journal.count(share.stream, retained=share.retained)
    return []
