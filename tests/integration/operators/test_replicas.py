"""Real operators over real sockets: killed, hanging, lying, and the batches that survive it."""

import asyncio
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fog_node.operators.settings import OperatorSettings
from fog_node.steps.graph import BlockGivenUp
from fogline.operator.testing import run_kept
from fogline.testing.until import until
from tests.integration.operators import functions
from tests.integration.operators.functions import GATE, HELD, POISON, REACHED
from tests.integration.operators.workshop import HANG_S, PLAN, STEP, function, workshop


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder in which a socket's path is short enough."""
    with tempfile.TemporaryDirectory(prefix="fl-") as folder:
        yield Path(folder)


async def test_rows_go_through_a_process_and_back_and_it_ends_on_sigterm() -> None:
    async with workshop(function("twice"), replicas=2) as shop:
        answer = await shop.answer([1, 2, 3, 4])
        assert shop.scores(answer) == [1.0, 2.0, 2.0]
        assert answer.input_rows.tolist() == [1, 3, 3]
        assert answer.filtered == 2
        many = await asyncio.gather(*(shop.answer([n, n], n) for n in range(50)))
        assert [len(shop.scores(one)) for one in many] == [[4, 0, 2, 0][n % 4] for n in range(50)]
        (report,) = shop.operators.reports()
        assert (report.batches, report.rows_in, report.rows_out) == (
            51,
            104,
            3 + sum(map(len, map(shop.scores, many))),
        )
        assert report.queued == 0
        assert report.busy_us > 0
        assert (await shop.answer([])).batch.rows == 0
        large = await shop.answer([2] * 150_000, 100)
        assert large.batch.rows == 150_000
        assert large.input_rows.tolist() == list(range(150_000))
        for replica in (0, 1):
            # One that has not come as far is ended by the signal itself.
            await until((shop.folder / f"{replica}.sock").exists, within=HANG_S)
            shop.operators.replica_gone(PLAN, STEP, replica)
            os.kill(shop.processes[replica].pid, signal.SIGTERM)
            assert await shop.processes[replica].wait() == 0
        assert (shop.folder / "began").exists()
        assert (shop.folder / "ended").exists()
        assert shop.broken == []


async def test_a_batch_in_the_hands_of_a_killed_operator_is_answered_by_the_next() -> None:
    async with workshop(function("gated")) as shop:
        os.mkfifo(shop.folder / GATE)
        waiting = [asyncio.create_task(shop.answer([n], n)) for n in (HELD, 2, 4)]
        await until((shop.folder / REACHED).exists, within=HANG_S)
        shop.kill(0)
        answers = await asyncio.gather(*waiting)
        assert [shop.scores(answer) for answer in answers] == [[], [1.0], [2.0, 2.0]]
        assert [event for event, _ in shop.broken] == ["exited"]
        assert shop.operators.reports()[0].replays == 3


async def test_what_keeps_killing_the_operator_is_given_up_kept_and_known_after_a_restart(
    short_folder: Path,
) -> None:
    async with workshop(function("deadly"), replicas=2, folder=short_folder) as shop:
        await shop.answer([2])
        many = [shop.answer([n, n + 1], n) for n in range(0, 20, 2)]
        outcomes = await asyncio.gather(*many, return_exceptions=True)
        failed = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, BaseException)]
        assert failed == [POISON // 2]
        assert isinstance(outcomes[POISON // 2], BlockGivenUp)
        (kept,) = shop.operators.quarantined
        assert (kept.plan, kept.step, kept.first, kept.end, kept.rows) == (PLAN, STEP, 12, 14, 2)
        assert kept.reason.startswith("exited")
        (event,) = shop.operators.events()
        assert (event.event, event.name) == ("quarantined", STEP)
        assert event.detail.startswith("messages [12, 14) of air: exited")
        assert shop.operators.reports()[0].quarantined_messages == 2
        assert shop.operators.faults() == []
    (file,) = (short_folder / "quarantine").glob("*.batch")
    assert [row["seq"] for row in run_kept(functions.twice, file.read_bytes())] == [12, 12]
    async with workshop(folder=short_folder) as later:
        with pytest.raises(BlockGivenUp, match="failed on it before: exited"):
            await later.answer([12, 13], 12)


async def test_an_operator_that_raises_lives_on_and_its_words_are_told() -> None:
    async with workshop(function("careless"), settings=OperatorSettings(message_bytes=1 << 20)) as shop:
        await shop.answer([2])
        with pytest.raises(BlockGivenUp, match=r"3 times: ValueError: thirteen \(functions.py:\d+\)"):
            await shop.answer([POISON], POISON)
        with pytest.raises(BlockGivenUp, match="SystemExit: fourteen"):
            await shop.answer([POISON + 1], POISON + 1)
        await shop.answer([2])
        with pytest.raises(BlockGivenUp, match=r"the answer has \d+ bytes, the node takes 1048576"):
            await shop.answer([POISON + 2], POISON + 2)
        assert shop.scores(await shop.answer([2], 99)) == [1.0]
        assert shop.broken == []
        assert shop.starts == 1


async def test_while_no_batch_is_answered_none_is_given_up_until_patience_ends() -> None:
    patient = OperatorSettings(patience=3_600.0)
    async with workshop(function("careless"), settings=patient) as shop:
        waiting = asyncio.create_task(shop.answer([POISON]))
        await until(lambda: shop.operators.reports()[0].replays > patient.attempts, within=HANG_S)
        assert shop.operators.faults() == [
            f"operator {STEP} of plan {PLAN} answers no batch: {_careless_words()}"
        ]
        waiting.cancel()
        await asyncio.wait((waiting,))
    impatient = OperatorSettings(patience=0.0)
    async with workshop(function("careless"), settings=impatient) as shop:
        with pytest.raises(BlockGivenUp):
            await shop.answer([POISON])


def _careless_words() -> str:
    lines = Path(functions.__file__).read_text(encoding="utf-8").splitlines()
    line = next(n for n, text in enumerate(lines, 1) if "raise ValueError" in text)
    return f"ValueError: thirteen (functions.py:{line})"


async def test_an_answer_that_nobody_waits_for_any_more_is_dropped() -> None:
    async with workshop(function("gated")) as shop:
        os.mkfifo(shop.folder / GATE)
        waiting = asyncio.create_task(shop.answer([HELD]))
        await until((shop.folder / REACHED).exists, within=HANG_S)
        waiting.cancel()
        await asyncio.wait((waiting,))
        assert shop.operators.reports()[0].queued == 0
        next_one = asyncio.create_task(shop.answer([4], 5))
        with (shop.folder / GATE).open("wb"):
            pass  # the operator goes on, and answers what nobody waits for any more
        assert shop.scores(await next_one) == [2.0, 2.0]
        assert shop.broken == []
