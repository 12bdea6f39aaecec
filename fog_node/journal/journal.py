"""The journal: a node's append-only log of messages, the only durable stream data that a node has."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Self

import numpy as np

from fog_node.journal.settings import JournalSettings
from fog_node.journal.values import Counters, Delivery, Finding, Gap, OriginState, Usage
from fog_node.messages import Block, Messages
from fogline.model.clock import Clock
from fogline.model.part import Origin
from fogline.model.plan import FullPolicy


class Journal:
    """First form, in memory only: the signatures hold, the disk comes next."""

    def __init__(
        self,
        settings: JournalSettings,
        *,
        node: str,
        clock: Clock,
        entropy: Callable[[int], bytes],
        tenant: str = "main",
    ) -> None:
        self._settings, self._node, self._clock, self._tenant = settings, node, clock, tenant
        self._epoch = entropy(16)
        self._blocks: dict[str, list[Block]] = {}
        self._counters: dict[str, Counters] = {}
        self._starts: dict[tuple[str, Origin], int] = {}
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    @property
    def epoch(self) -> bytes:
        """16 random bytes that name this run of the writer."""
        return self._epoch

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was wrong in stored files since the start."""
        return ()

    def declare(
        self, stream: str, *, policy: FullPolicy = "expire", quota_bytes: int = 0, look_back_us: int = 0
    ) -> None:
        """Make a stream known, or change what it may use; ``quota_bytes`` 0 takes the node's default.

        Blocks whose messages arrived less than ``look_back_us`` before the first uncommitted one are kept.
        """
        self._blocks.setdefault(stream, [])
        self._counters.setdefault(stream, Counters())

    async def append(self, stream: str, messages: Messages) -> None:
        """Return when the messages are on disk. Raises JournalFull, and then nothing of them is kept."""
        blocks = self._blocks[stream]
        first, n = (blocks[-1].end if blocks else 0), len(messages)
        block = Block(
            origin=self._origin(stream),
            first=first,
            end=first + n,
            arrival_us=np.full(n, messages.arrival_us, np.int64),
            topics=tuple(messages.topics),
            topic_codes=np.asarray(messages.topic_codes, np.uint32),
            clients=(messages.client,),
            client_codes=np.zeros(n, np.uint32),
            packet_ids=np.asarray(messages.packet_ids, np.uint16),
            flags=np.frombuffer(messages.flags, np.uint8),
            payloads=messages.payloads,
        )
        blocks.append(block)
        self._counters[stream] = self._counters[stream].plus(Counters(received=n, journaled=n))
        self._changed.set()
        self._changed = asyncio.Event()

    def count(
        self,
        stream: str,
        *,
        refused: Mapping[str, int] | None = None,
        redelivered: int = 0,
        retained: int = 0,
    ) -> None:
        """Count deliveries that never became messages here; refused ones count as received too."""
        reasons = dict(refused or {})
        self._counters[stream] = self._counters[stream].plus(
            Counters(
                received=sum(reasons.values()), refused=reasons, redelivered=redelivered, retained=retained
            )
        )

    def counters(self, stream: str) -> Counters:
        """What became of the stream's messages since the journal was made, across restarts."""
        return self._counters[stream]

    def origins(self, stream: str) -> tuple[OriginState, ...]:
        """Every epoch of the stream that still holds messages, oldest first; the last is the open one."""
        blocks = self._blocks[stream]
        return (
            OriginState(
                origin=self._origin(stream),
                base=0,
                end=blocks[-1].end if blocks else 0,
                closed=False,
                counters=self._counters[stream],
            ),
        )

    async def read(self, origin: Origin, first: int, *, plan: str = "") -> Block | Gap | None:
        """Return the block that holds ``first``, from there on; or the gap that is there; None: not yet."""
        for block in self._blocks[origin.stream]:
            if block.first <= first < block.end:
                return block.since(first)
        return None

    async def grown(self, origin: Origin, offset: int) -> None:
        """Return when the origin's end is beyond ``offset``, or the origin is closed."""
        while self.origins(origin.stream)[0].end <= offset:
            await self._changed.wait()

    async def plan_started(self, plan: str, origin: Origin) -> int:
        """Offset at which the plan begins on the origin: written once, durable, then always the same."""
        return self._starts.setdefault((plan, origin), 0)

    def progress(self, plan: str, origin: Origin, committed: int) -> None:
        """Tell what the cloud's store holds for the plan; the only thing that permits truncation."""

    async def forget(self, plan: str) -> None:
        """The plan was withdrawn: it holds nothing back any more."""

    async def detach(self, plan: str) -> None:
        """Give up everything that the plan has not committed: a gap for this plan alone."""

    def gaps(self, plan: str, origin: Origin) -> tuple[Gap, ...]:
        """Ranges of the origin that the plan will never see, in order, not overlapping."""
        return ()

    async def pending(self, origin: Origin, offset: int) -> int:
        """How many messages at or after ``offset`` the journal holds, counted from its blocks."""
        return sum(len(b) for b in self._blocks[origin.stream] if b.first >= offset)

    async def roll(self) -> bytes:
        """Close the epoch of every stream and open a new one; returns its name."""
        return self._epoch

    async def recent(
        self, *, messages: int, clients: Iterable[str] | None = None
    ) -> dict[str, dict[int, Delivery]]:
        """Client -> packet id -> newest delivery with QoS above 0, among the newest ``messages``."""
        return {}

    def usage(self) -> Usage:
        """Disk used by blocks, and its limit."""
        return Usage(used=0, limit=self._settings.limit_bytes)

    def _origin(self, stream: str) -> Origin:
        return Origin(tenant=self._tenant, node=self._node, stream=stream, epoch=self._epoch)
