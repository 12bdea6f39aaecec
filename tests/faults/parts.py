"""The real parts beside Fogline that may die, too: a mosquitto that the node reads from, and a PostgreSQL."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from fog_node.journal import Gap, Journal, JournalSettings
from fogline.model.clock import SystemClock
from fogline.testing.mosquitto import Mosquitto
from tests.faults.truth import Truth
from tests.postgres import PostgresServer

SITE_MAY_QUEUE = "max_queued_messages 0"
"""A drill kills the node for longer than the shipped configuration's limit may hold at this rate."""
WRITES_SELDOM = "autosave_interval 100"
"""A broker that writes everything it holds after each change hardly gets on with a long queue; and one that forgets
the last changes when it dies sends more messages twice.
"""


class Parts:
    """Both, running; a victim is killed with -9 and started again at once."""

    victims = ("mosquitto", "postgres")

    def __init__(self, folder: Path, postgres: PostgresServer) -> None:
        """``postgres`` must be a durable one: what it has committed has to survive its own death."""
        self._mosquitto = Mosquitto(folder / "mosquitto", SITE_MAY_QUEUE, WRITES_SELDOM)
        self._postgres = postgres

    async def __aenter__(self) -> Self:
        await self._mosquitto.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._mosquitto.__aexit__(kind, error, trace)

    @property
    def broker(self) -> tuple[str, int]:
        """Where devices may publish."""
        return "127.0.0.1", self._mosquitto.port

    @property
    def environment(self) -> Mapping[str, str]:
        """Settings of the tiers."""
        return {"FOGLINE_NODE_BROKER_URL": self._mosquitto.url, "FOGLINE_CLOUD_STORE": self._postgres.url}

    async def end_broker(self) -> None:
        """Nothing comes through it any more."""
        await self._mosquitto.kill()

    async def kill(self, victim: str) -> None:
        """Kill one, and return when it serves again."""
        if victim == "mosquitto":
            await self._mosquitto.kill()
            await self._mosquitto.start()
            return
        await asyncio.to_thread(self._postgres.kill)
        await asyncio.to_thread(self._postgres.start)


@dataclass
class Journaled:
    """What a node's journal holds, read from its files."""

    once: Truth = field(default_factory=Truth)
    """The stream with an identity: each message id once."""
    messages: int = 0
    """All messages of that stream."""
    every: Truth = field(default_factory=Truth)
    """The stream without: the message at every offset."""
    repeats: list[int] = field(default_factory=list)
    """Message ids that this stream holds once more."""


async def journaled(folder: Path) -> Journaled:
    """Every message of the drill's streams in a journal that nobody writes to now."""
    found = Journaled()
    # A copy: opening a journal begins an epoch in it.
    copy = folder.with_name("journal-copy")
    await asyncio.to_thread(shutil.copytree, folder, copy)
    journal = Journal(JournalSettings(), folder=copy, node="node-1", clock=SystemClock(), entropy=os.urandom)
    async with journal:
        async for device, beat in _messages(journal, "beats"):
            found.messages += 1
            if beat["id"] not in found.once.ids:
                found.once.add(device, beat["ts"], beat["id"], beat["dice"])
        async for device, beat in _messages(journal, "deliveries"):
            if beat["id"] in found.every.ids:
                found.repeats.append(beat["id"])
            found.every.add(device, beat["ts"], beat["id"], beat["dice"])
    return found


async def _messages(journal: Journal, stream: str) -> AsyncIterator[tuple[str, dict[str, int]]]:
    """Device and content of the message at every offset."""
    journal.declare(stream)
    for state in journal.origins(stream):
        at = state.base
        assert at == 0, f"{state.origin} begins at {at}: the drill outgrew the journal"
        while at < state.end:
            block = await journal.read(state.origin, at)
            assert block is not None
            assert not isinstance(block, Gap), block
            for code, payload in zip(block.topic_codes.tolist(), block.payloads, strict=True):
                yield block.topics[code].split("/")[1], json.loads(bytes(payload))
            at = block.end
