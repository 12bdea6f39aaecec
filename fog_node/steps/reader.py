"""Reads a stream's blocks for one plan: decodes them, leaves out repeats, runs the steps.

Blocks of a stretch are under way together, since a step may answer late and in any order; they come out in
the journal's order. Where all steps answer at once, small blocks become one batch.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Final, NamedTuple, Protocol

import numpy as np

from fog_node.decode.identity import Repeats
from fog_node.decode.rows import DUPLICATE
from fog_node.decode.stream import DeadRead, Decoded
from fog_node.journal.values import OriginState
from fog_node.messages import Block, range_of
from fog_node.steps.blocks import DecodedBlocks, decoder_key
from fog_node.steps.graph import BlockGivenUp, StreamGraph
from fog_node.steps.tail import Read
from fogline.engine.state import PartState
from fogline.model.gap import OPERATOR_FAILED, Gap
from fogline.model.part import Origin
from fogline.model.plan import Plan, StreamSpec

STRETCH: Final = 50_000
"""Messages after which a lane lets others have their turn: some ten milliseconds of work."""
TOGETHER: Final = 8_192
"""Messages with which a batch is large enough: a batch's own cost is then a tenth of what its readings cost."""
TOGETHER_BYTES: Final = 1 << 20
"""Payload bytes of blocks that are worked on together: what one block alone may have too."""


UNDER_WAY: Final = 32
"""Blocks whose batches are under way to operators at once, for one stream."""
UNDER_WAY_BYTES: Final = 4 << 20
"""Payload bytes of them, after which no further one is read."""


class Stretch(NamedTuple):
    """What was read in one turn."""

    reads: list[Read]
    lost: Gap | None = None
    """Behind them: messages that an operator failed on, to be declared a gap."""


class BlockSource(Protocol):
    """Where blocks come from."""

    def origins(self, stream: str) -> tuple[OriginState, ...]: ...
    async def read(self, origin: Origin, first: int, *, plan: str = "") -> Block | Gap | None: ...


class StreamReader:
    """One plan's way through one stream."""

    def __init__(
        self,
        plan: Plan,
        spec: StreamSpec,
        graph: StreamGraph,
        *,
        journal: BlockSource,
        blocks: DecodedBlocks,
        plan_id: str,
    ) -> None:
        self.graph: Final = graph
        self._spec: Final = spec
        self._key: Final = decoder_key(plan, spec)
        self._journal: Final = journal
        self._blocks: Final = blocks
        self._plan: Final = plan_id
        self._repeats: dict[Origin, Repeats] = {}
        self.letters: tuple[DeadRead, ...] = ()
        """Dead readings of the newest block that had some."""
        self.read_messages = 0
        """Messages read, those that were read again included. Counts only up."""
        self.dead: Final[Counter[str]] = Counter()
        """Readings of them that made no sense, by reason. Counts only up."""

    @property
    def remembering(self) -> frozenset[Origin]:
        """The origins whose identities are in memory."""
        return frozenset(self._repeats)

    def forget(self, origin: Origin) -> None:
        """The origin will be read again from another place, or has nothing more to read."""
        self._repeats.pop(origin, None)

    async def read(self, origin: Origin, first: int, end: int) -> Stretch:
        """A stretch of the blocks of [first, end)."""
        if self.graph.answers_at_once:
            return Stretch(await self._read_one_by_one(origin, first, end))
        return await self._read_together(origin, first, end)

    async def _read_together(self, origin: Origin, first: int, end: int) -> Stretch:
        """Blocks of a stretch are under way at once, each as a batch of its own, and come out in order."""
        blocks = []
        size = 0
        async with aclosing(self._blocks_of(origin, first, end)) as found:
            async for block in found:
                blocks.append((block, await self._decode([block])))
                size += sum(map(len, block.payloads))
                if len(blocks) == UNDER_WAY or size >= UNDER_WAY_BYTES:
                    break
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._run(block, decoded), name="run the steps")
                    for block, decoded in blocks
                ]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from failed
        reads: list[Read] = []
        for (block, decoded), task in zip(blocks, tasks, strict=True):
            state = task.result()
            if state is None:
                # What comes after it is read again, since parts follow each other without a hole; it was judged
                # already, and must not be taken for a repeat of itself.
                self.forget(origin)
                return Stretch(reads, Gap(first=block.first, end=block.end, reason=OPERATOR_FAILED))
            reads.append(_read([block], decoded, state))
        return Stretch(reads)

    async def _run(self, block: Block, decoded: Decoded) -> PartState | None:
        """The states of one block; None if it was given up."""
        try:
            return await self.graph.run(decoded, range_of([block]))
        except BlockGivenUp:
            return None

    async def _read_one_by_one(self, origin: Origin, first: int, end: int) -> list[Read]:
        """The same where nothing is waited for: one decoded batch is in memory at a time.

        Small blocks that follow each other are one batch: SQL's states are additive over any cut, and a batch
        costs much the same for a hundred readings as for a thousand.
        """
        return [
            _read(blocks, decoded, await self.graph.run(decoded, range_of(blocks)))
            async for blocks, decoded in self._gathered(origin, first, end)
        ]

    async def _gathered(
        self, origin: Origin, first: int, end: int
    ) -> AsyncIterator[tuple[list[Block], Decoded]]:
        """The blocks of a stretch, as many together as make a batch that is worth its cost."""
        blocks: list[Block] = []
        messages = size = 0
        async for block in self._blocks_of(origin, first, end):
            bytes_ = sum(map(len, block.payloads))
            if blocks and (messages + len(block) > TOGETHER or size + bytes_ > TOGETHER_BYTES):
                yield blocks, await self._decode(blocks)
                blocks, messages, size = [], 0, 0
            blocks.append(block)
            messages += len(block)
            size += bytes_
        if blocks:
            yield blocks, await self._decode(blocks)

    async def _blocks_of(self, origin: Origin, first: int, end: int) -> AsyncGenerator[Block]:
        messages = 0
        while first < end and messages < STRETCH:
            block = await self._journal.read(origin, first, plan=self._plan)
            if not isinstance(block, Block):
                return  # what the journal lost since is in its gaps
            yield block
            first = block.end
            messages += len(block)

    async def _decode(self, blocks: list[Block]) -> Decoded:
        decoded = await self._judged(blocks)
        self.read_messages += sum(map(len, blocks))
        self.dead.update(decoded.dead)
        return decoded

    async def _judged(self, blocks: list[Block]) -> Decoded:
        decoded = self._blocks.decode_together(blocks, self._key)
        if decoded.letters:
            self.letters = decoded.letters
        if self._spec.identity is None:
            return decoded
        block = blocks[0]
        repeats = self._repeats.get(block.origin)
        if repeats is None:
            repeats = self._repeats[block.origin] = await self._recall(block, Repeats(self._spec.identity))
        repeated = repeats.judge(decoded.batch, decoded.arrival_us)
        return _without(decoded, repeated) if repeated.any() else decoded

    async def _recall(self, block: Block, repeats: Repeats) -> Repeats:
        """Take note of what arrived in the time before a block that identity looks back on, in all epochs."""
        assert self._spec.identity is not None
        since_us = int(block.arrival_us.min()) - self._spec.identity.within_us
        for state in self._journal.origins(self._spec.name):
            mine = state.origin == block.origin
            end = block.first if mine else state.end
            first = await self._first_since(state, end, since_us)
            while first < end:
                before = await self._journal.read(state.origin, first, plan=self._plan)
                if before is None:
                    break
                if isinstance(before, Block):
                    decoded = self._blocks.decode(before, self._key)
                    repeats.remember(decoded.batch, decoded.arrival_us)
                first = before.end
            if mine:
                break
        return repeats

    async def _first_since(self, state: OriginState, end: int, since_us: int) -> int:
        """The offset of a block before which nothing arrived later than ``since_us``, found by halving."""
        low, high = state.base, end
        while low < high:
            middle = (low + high) // 2
            block = await self._journal.read(state.origin, middle)
            if not isinstance(block, Block):
                return low  # a lost range: look through everything from here
            if int(block.arrival_us[-1]) < since_us:
                low = block.end
            else:
                high = middle
        return low


def _read(blocks: list[Block], decoded: Decoded, state: PartState) -> Read:
    return Read(
        end=blocks[-1].end,
        state=state,
        latest_us=decoded.latest_us,
        arrived_us=(int(blocks[0].arrival_us[0]), int(blocks[-1].arrival_us[-1])),
    )


def _without(decoded: Decoded, repeated: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Decoded:
    kept = np.flatnonzero(~repeated)
    dead = {**decoded.dead, DUPLICATE: int(repeated.sum())}
    return replace(
        decoded,
        batch=decoded.batch.take(kept),
        messages=decoded.messages[kept],
        arrival_us=decoded.arrival_us[kept],
        dead=dead,
    )
