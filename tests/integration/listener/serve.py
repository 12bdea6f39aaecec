"""A listener over a journal on disk, as a process that may be killed. Arguments: folder, port."""

import asyncio
import os
import sys
from pathlib import Path

from fog_node.ingest.listener import Listener, ListenerSettings, recalled_sessions
from fog_node.ingest.topics import TemplateRouter
from fog_node.journal import Journal, JournalSettings
from fogline.model.clock import MILLISECOND, SystemClock

ROUTES = {"air": "greenhouse/{zone}/{device}/air"}


async def serve(folder: Path, port: int) -> None:
    clock = SystemClock()
    settings = JournalSettings(commit_every_us=5 * MILLISECOND)
    async with Journal(settings, folder=folder, node="test", clock=clock, entropy=os.urandom) as journal:
        journal.declare("air")
        listening = ListenerSettings(port=port)
        listener = Listener(
            listening,
            router=TemplateRouter(ROUTES),
            journal=journal,
            clock=clock,
            entropy=os.urandom,
            sessions=await recalled_sessions(journal, ROUTES, listening, now_us=clock.now_us()),
        )
        async with listener:
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
