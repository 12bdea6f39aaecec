import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from fog_node.journal import Gap, Journal, JournalSettings
from fog_node.journal.settings import KIB
from fog_node.messages import Messages
from fogline.model.part import Origin
from fogline.testing.clock import ManualClock
from fogline.testing.disk import ForgetfulDisk

FOLDER = Path("/site/node/journal")
SMALL = JournalSettings(
    commit_every_us=0, reserve_bytes=4 * KIB, block_bytes=2 * KIB, segment_bytes=4 * KIB, memory_bytes=0
)


def make_messages(
    *payloads: bytes, client: str = "device", arrival_us: int = 1_700_000_000_000_000
) -> Messages:
    n = len(payloads)
    return Messages(
        arrival_us=arrival_us,
        client=client,
        topics=["site/a", "site/b"],
        topic_codes=[number % 2 for number in range(n)],
        payloads=list(payloads),
        packet_ids=[1 + number for number in range(n)],
        flags=bytes([1]) * n,
    )


class Opener:
    """Opens journals of one node, again and again, on disks of the test's choice."""

    def __init__(self) -> None:
        self.rng = Random(7)
        self.clock = ManualClock()

    @asynccontextmanager
    async def __call__(
        self, disk: Any, *, streams: tuple[str, ...] = ("air",), clock: Any = None, **settings: Any
    ) -> AsyncIterator[Journal]:
        journal = Journal(
            replace(SMALL, **settings),
            folder=FOLDER,
            node="n1",
            clock=clock or self.clock,
            entropy=self.rng.randbytes,
            files=disk,
        )
        async with journal:
            for stream in streams:
                journal.declare(stream)
            yield journal


async def read_all(journal: Journal, stream: str = "air", plan: str = "") -> tuple[list[bytes], list[Gap]]:
    """Everything that can be read of a stream, and what can't."""
    payloads: list[bytes] = []
    gaps: list[Gap] = []
    for state in journal.origins(stream):
        found, lost = await read_origin(journal, state.origin, state.base, plan)
        payloads += found
        gaps += lost
    return payloads, gaps


async def read_origin(
    journal: Journal, origin: Origin, offset: int = 0, plan: str = ""
) -> tuple[list[bytes], list[Gap]]:
    payloads: list[bytes] = []
    gaps: list[Gap] = []
    while (found := await journal.read(origin, offset, plan=plan)) is not None:
        assert found.first == offset
        assert found.end > offset
        offset = found.end
        if isinstance(found, Gap):
            gaps.append(found)
        else:
            assert len(found.payloads) == len(found)
            payloads += found.payloads
    return payloads, gaps


@pytest.fixture
def disk() -> ForgetfulDisk:
    return ForgetfulDisk()


@pytest.fixture
def opened() -> Opener:
    return Opener()


@pytest.fixture
def kit() -> SimpleNamespace:
    return SimpleNamespace(
        folder=FOLDER, settings=SMALL, messages=make_messages, read_all=read_all, read_origin=read_origin
    )


@pytest.fixture
def settle() -> Callable[[], Any]:
    """Let everything that can happen without the clock happen."""

    async def wait() -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    return wait
