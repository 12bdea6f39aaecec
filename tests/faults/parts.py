"""The real parts beside Fogline that may die, too: a mosquitto that the node reads from, and a PostgreSQL."""

import asyncio
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fog_node.journal import Gap, Journal, JournalSettings
from fogline.model.clock import SystemClock
from fogline.testing.mosquitto import Mosquitto
from tests.faults.truth import Truth
from tests.postgres import PostgresServer

SITE_MAY_QUEUE = "max_queued_messages 0"
"""A drill kills the node for longer than the shipped configuration's limit may hold at this rate."""


class Parts:
    """Both, running; a victim is killed with -9 and started again at once."""

    victims = ("mosquitto", "postgres")

    def __init__(self, folder: Path, postgres: PostgresServer) -> None:
        """``postgres`` must be a durable one: what it has committed has to survive its own death."""
        self._mosquitto = Mosquitto(folder / "mosquitto", SITE_MAY_QUEUE)
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

    truth: Truth = field(default_factory=Truth)
    """Each message id once."""
    messages: int = 0

    @property
    def ids(self) -> set[int]:
        """Every message id."""
        return self.truth.ids


async def journaled(folder: Path) -> Journaled:
    """Every message of the drill's stream in a journal that nobody writes to now."""
    found = Journaled()
    # A copy: opening a journal begins an epoch in it.
    copy = folder.with_name("journal-copy")
    await asyncio.to_thread(shutil.copytree, folder, copy)
    journal = Journal(JournalSettings(), folder=copy, node="node-1", clock=SystemClock(), entropy=os.urandom)
    async with journal:
        journal.declare("beats")
        for state in journal.origins("beats"):
            at = state.base
            assert at == 0, f"{state.origin} begins at {at}: the drill outgrew the journal"
            while at < state.end:
                block = await journal.read(state.origin, at)
                assert block is not None
                assert not isinstance(block, Gap), block
                _add(found, list(zip(block.topic_codes.tolist(), block.payloads, strict=True)), block.topics)
                at = block.end
    return found


def _add(found: Journaled, messages: list[tuple[int, Any]], topics: tuple[str, ...]) -> None:
    for code, payload in messages:
        beat = json.loads(bytes(payload))
        found.messages += 1
        if beat["id"] not in found.ids:
            found.truth.add(topics[code].split("/")[1], beat["ts"], beat["id"], beat["dice"])
