"""A node's link to a broker over a journal on disk, as a process that may be killed. Arguments: folder, URL."""

import asyncio
import os
import sys
from pathlib import Path
from random import Random

from fog_node.ingest.broker import Brokers, BrokerSettings
from fog_node.ingest.broker.link import Surroundings
from fog_node.ingest.listener import ListenerSettings, recalled_sessions
from fog_node.ingest.topics import TemplateRouter
from fog_node.journal import Journal, JournalSettings
from fogline.model.clock import MILLISECOND, SystemClock
from fogline.testing.until import until

ROUTES = {"air": "greenhouse/{zone}/{device}/air"}


async def serve(folder: Path, url: str) -> None:
    clock = SystemClock()
    settings = JournalSettings(commit_every_us=5 * MILLISECOND)
    async with Journal(
        settings, folder=folder / "journal", node="test", clock=clock, entropy=os.urandom
    ) as journal:
        journal.declare("air")
        sessions = await recalled_sessions(journal, ROUTES, ListenerSettings(), now_us=clock.now_us())
        brokers = Brokers(
            [BrokerSettings(url=url, retry_base=0.05, retry_cap=0.2)],
            node="test",
            folder=folder / "brokers",
            router=TemplateRouter(ROUTES),
            around=Surroundings(journal=journal, clock=clock, rng=Random(3), sessions=sessions),
        )
        async with brokers:
            await until(lambda: "greenhouse/+/+/air" in brokers.standings()[0].subscriptions, within=60.0)
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2]))
