"""The aggregator's end of the feed of who may join."""

import asyncio
from collections.abc import Sequence
from random import Random

from fogline.identity.feed import Feed
from fogline.model.clock import SystemClock
from fogline.uplink.backoff import Backoff
from fogline.uplink.dial import channel_to
from fogline.v1 import enrol_pb2

NOWHERE = "127.0.0.1:1"
STEPS = 200
"""Turns of the event loop: about two streams that are refused."""
HANGS_S = 60


class NothingIssued:
    @property
    def unheard(self) -> Sequence[enrol_pb2.Enrolment]:
        return ()

    async def changed(self) -> None:
        await asyncio.Event().wait()

    async def strike(self, serials: Sequence[str]) -> None:
        raise AssertionError(serials)

    async def accept(self, signed: enrol_pb2.SignedAdmission) -> None:
        raise AssertionError(signed)


async def test_it_ends_at_its_first_cancellation_whenever_that_comes() -> None:
    """A call that is being opened and refused at that moment keeps the cancellation of its reader to itself."""
    for steps in [*range(STEPS)] * 3:
        feed = Feed(
            [NOWHERE],
            NothingIssued(),
            dial=channel_to,
            clock=SystemClock(),
            rng=Random(1),
            backoff=Backoff(cap=0.001),
        )
        running = asyncio.create_task(feed.run())
        for _ in range(steps):
            await asyncio.sleep(0)
        running.cancel()
        done, _ = await asyncio.wait((running,), timeout=HANGS_S)
        assert done, f"still running after it was cancelled at turn {steps}"
        assert running.cancelled()
