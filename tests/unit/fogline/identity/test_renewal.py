"""When an identity is renewed, and what happens if it cannot be."""

import asyncio
from dataclasses import replace
from pathlib import Path
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from fogline.identity.folder import read_identity, write_identity
from fogline.identity.holder import Holder
from fogline.identity.identity import Identity
from fogline.identity.names import Subject
from fogline.identity.renewal import LONGEST_PAUSE_S, Renewing, is_due, pause_after
from fogline.model.clock import DAY, SECOND
from fogline.model.errors import Unavailable
from fogline.testing.clock import ManualClock
from fogline.testing.until import until

ISSUED = 1_700_000_000 * SECOND
IDENTITY = Identity(
    subject=Subject(tenant="main", role="node", name="n1"),
    serial="1",
    key="k",
    issued_us=ISSUED,
    until_us=ISSUED + 90 * DAY,
    key_pem=b"key",
    chain_pem=b"chain",
    authority_pem=b"ca",
)


@given(st.integers(0, 2**53), st.floats(0, 1))
def test_renewal_is_due_between_half_and_six_tenths_of_the_life_and_for_ever_after(
    now: int, share: float
) -> None:
    due = is_due(IDENTITY, now, share)
    if now < ISSUED + 45 * DAY:
        assert not due
    if now >= ISSUED + 54 * DAY:
        assert due


def test_a_clock_that_was_never_set_renews_nothing() -> None:
    assert not is_due(IDENTITY, 0, 0.0)


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_pauses_grow_to_an_hour_and_are_never_nothing(failures: int, share: float) -> None:
    assert 1.0 <= pause_after(failures, share) <= LONGEST_PAUSE_S


async def test_an_identity_is_renewed_again_and_again_whatever_fails_meanwhile(tmp_path: Path) -> None:
    write_identity(tmp_path, IDENTITY)
    holder, clock, away, asked = Holder(IDENTITY), ManualClock(ISSUED), True, 0

    async def ask(identity: Identity) -> Identity:
        nonlocal asked
        asked += 1
        if away:
            raise Unavailable("nobody answers")
        issued = clock.now_us()
        return replace(identity, serial=f"{asked}x", issued_us=issued, until_us=issued + 90 * DAY)

    renewing = Renewing(holder, tmp_path, ask=ask, clock=clock, rng=Random(7))
    task = asyncio.ensure_future(renewing.run())
    await clock.slept(1)
    await clock.advance(40 * DAY / SECOND)
    assert asked == 0
    await clock.advance(20 * DAY / SECOND)
    assert asked > 1
    assert "could not be renewed: nobody answers" in renewing.fault
    away = False
    await clock.advance(LONGEST_PAUSE_S)
    await until(lambda: holder.identity.serial != "1")
    assert renewing.fault == ""
    assert read_identity(tmp_path, role="node") == holder.identity
    task.cancel()
