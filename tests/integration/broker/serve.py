"""A node's link to a broker over a journal on disk, as a process that may be killed.

Arguments: folder, URL, and if wanted after how many journaled messages it kills itself before it acknowledges the last.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from random import Random

from fog_node.ingest.broker import Brokers, BrokerSettings, senders
from fog_node.ingest.broker.link import Surroundings
from fog_node.ingest.listener import ListenerSettings, recalled_sessions
from fog_node.ingest.topics import TemplateRouter
from fog_node.journal import Journal, JournalSettings
from fog_node.messages import Messages
from fogline.model.clock import MILLISECOND, SystemClock
from fogline.testing.until import until

ROUTES = {"air": "greenhouse/{zone}/{device}/air"}


class Doomed:
    """A journal that takes so many messages and then ends the process as ``kill -9`` would."""

    def __init__(self, journal: Journal, most: int) -> None:
        self._journal = journal
        self._left = most

    async def append(self, stream: str, messages: Messages) -> None:
        await self._journal.append(stream, messages)
        self._left -= len(messages)
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def count(
        self,
        stream: str,
        *,
        refused: Mapping[str, int] | None = None,
        redelivered: int = 0,
        retained: int = 0,
    ) -> None:
        self._journal.count(stream, refused=refused, redelivered=redelivered, retained=retained)


async def serve(folder: Path, url: str, most: int) -> None:
    clock = SystemClock()
    settings = JournalSettings(commit_every_us=5 * MILLISECOND)
    async with Journal(
        settings, folder=folder / "journal", node="test", clock=clock, entropy=os.urandom
    ) as journal:
        journal.declare("air")
        given = [BrokerSettings(url=url, retry_base=0.05, retry_cap=0.2)]
        sessions = await recalled_sessions(
            journal, ROUTES, ListenerSettings(), now_us=clock.now_us(), brokers=senders(given, "test")
        )
        into = Doomed(journal, most) if most else journal
        brokers = Brokers(
            given,
            node="test",
            folder=folder / "brokers",
            router=TemplateRouter(ROUTES),
            around=Surroundings(journal=into, clock=clock, rng=Random(3), sessions=sessions),
        )
        async with brokers:
            await until(lambda: "greenhouse/+/+/air" in brokers.standings()[0].subscriptions, within=60.0)
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0))
