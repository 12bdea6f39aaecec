"""Operators that break the protocol: named, told, and nothing more is sent to them."""

import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fog_node.operators.settings import OperatorSettings
from fog_node.steps.graph import BlockGivenUp
from fogline.testing.until import until
from tests.integration.operators.breaking import Manner, breaking
from tests.integration.operators.workshop import HANG_S, HERE, PLAN, STEP, function, workshop

PATIENT = OperatorSettings(timeout=60.0, greeting_within=60.0)
QUICK = {"mute": OperatorSettings(greeting_within=1.0), "hanging": OperatorSettings(timeout=1.0)}


@pytest.fixture(scope="module")
def rogues() -> Iterator[Path]:
    """The folder with a socket for each of them."""
    folder = Path(tempfile.mkdtemp(prefix="fl-"))
    with subprocess.Popen(
        [sys.executable, str(HERE / "rogues.py"), str(folder)], stdin=subprocess.PIPE, cwd=HERE.parents[2]
    ) as process:
        yield folder
        process.communicate()
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("way", "event", "said"),
    [
        ("stranger", "bad_answer", "batch 1000, which was not asked"),
        ("twice", "bad_answer", "batch 0, which was not asked or is answered"),
        ("flood", "bad_answer", "batch 1000000, which was not asked"),
        ("giant", "bad_answer", "too large"),
        ("chatter", "bad_answer", "no answer"),
        ("mute", "not_started", "no greeting within 1 s"),
        ("foreign", "bad_answer", "protocol 7, the node speaks 1"),
        ("greedy", "bad_answer", "'password' is wanted, which the step's source has not"),
        ("quitter", "exited", "ended the stream"),
        ("hanging", "timed_out", "no answer within 1 s"),
        ("garbled", "bad_answer", "9 bytes that are no message of this protocol"),
        ("noise", "bad_answer", "9 bytes that are no message of this protocol"),
        ("latin", "bad_answer", "bytes that are no message of this protocol"),
        ("crowd", "bad_answer", "more than 262144 fields and texts"),
        ("library", "bad_answer", "more than 262144 fields and texts"),
        ("hungry", "bad_answer", "1000 columns are wanted of"),
        ("bomb", "bad_answer", "too large"),
    ],
)
async def test_who_breaks_the_protocol_is_told(rogues: Path, way: str, event: str, said: str) -> None:
    async with workshop(settings=QUICK.get(way, PATIENT)) as shop:
        waiting = asyncio.create_task(shop.answer([2]))
        socket = rogues / f"{way}.sock"
        await until(socket.exists, within=HANG_S)
        shop.operators.replica_up(PLAN, STEP, 0, socket)
        await until(lambda: bool(shop.broken), within=HANG_S)
        ((told, reason),) = shop.broken
        assert told == event
        assert said in reason
        if way == "twice":
            assert (await waiting).batch.rows == 1, "the first answer holds"
        else:
            assert shop.operators.reports()[0].queued == 1
            assert "is away" in shop.operators.faults()[0]
        waiting.cancel()
        await asyncio.wait((waiting,))


@pytest.mark.parametrize(
    ("manner", "event", "said"),
    [
        (Manner.NO_WORD, "not_started", "no greeting within 1 s"),
        (Manner.NO_HTTP, "not_started", "no greeting within 1 s"),
        (Manner.HALF, "exited", "unavailable"),
        (Manner.DRIP, "timed_out", "no answer within 1 s"),
    ],
)
async def test_who_breaks_the_connection_is_told(rogues: Path, manner: Manner, event: str, said: str) -> None:
    await until((rogues / "wide.sock").exists, within=HANG_S)
    quick = OperatorSettings(greeting_within=1.0 if "greeting" in said else 60.0, timeout=1.0)
    async with breaking(rogues / "wide.sock", manner) as socket, workshop(settings=quick) as shop:
        waiting = asyncio.create_task(shop.answer([2]))
        shop.operators.replica_up(PLAN, STEP, 0, socket)
        await until(lambda: bool(shop.broken), within=HANG_S)
        ((told, reason),) = shop.broken
        assert (told, said in reason) == (event, True), reason
        assert shop.operators.reports()[0].queued == 1
        waiting.cancel()
        await asyncio.wait((waiting,))


async def test_a_batch_that_a_rogue_had_is_answered_by_an_honest_one(rogues: Path) -> None:
    async with workshop(function("twice"), replicas=0) as shop:
        waiting = asyncio.create_task(shop.answer([4]))
        await until((rogues / "stranger.sock").exists, within=HANG_S)
        shop.operators.replica_up(PLAN, STEP, 0, rogues / "stranger.sock")
        assert shop.scores(await waiting) == [2.0, 2.0]
        assert [event for event, _ in shop.broken] == ["bad_answer"]


async def test_an_operators_words_are_shown_without_what_steers_a_terminal(rogues: Path) -> None:
    async with workshop(settings=PATIENT) as shop:
        waiting = asyncio.create_task(shop.answer([2]))
        await until((rogues / "painter.sock").exists, within=HANG_S)
        shop.operators.replica_up(PLAN, STEP, 0, rogues / "painter.sock")
        await until(lambda: shop.operators.reports()[0].replays > 0, within=HANG_S)
        assert shop.operators.faults() == [
            f"operator {STEP} of plan {PLAN} answers no batch: ?]0;title??[31mred next"
        ]
        waiting.cancel()
        await asyncio.wait((waiting,))


async def test_rows_that_contradict_their_batch_fail_it(rogues: Path) -> None:
    async with workshop(settings=OperatorSettings(patience=0.0)) as shop:
        await until((rogues / "wrong.sock").exists, within=HANG_S)
        shop.operators.replica_up(PLAN, STEP, 0, rogues / "wrong.sock")
        with pytest.raises(BlockGivenUp, match="bad_answer: input_row 999 of a batch of 1 rows"):
            await shop.answer([2])
        assert shop.broken == []
