"""A process from its first line to its exit code."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

PROGRAM = """
import asyncio, sys
from fogline.model.errors import NotFound
from fogline.service.logs import set_up_logs
from fogline.service.run import run_until_signalled

async def main(stopping):
    print("ready", flush=True)
    kind = sys.argv[1]
    if kind == "broken":
        raise ZeroDivisionError("a bug")
    if kind == "refused":
        async with asyncio.TaskGroup() as group:
            group.create_task(refuse())
    await stopping.wait()
    print("leaving", flush=True)
    if kind == "slow":
        await asyncio.Event().wait()

async def refuse():
    raise NotFound("there is no folder", hint="make one")

set_up_logs(level="info", tier="test")
sys.exit(run_until_signalled(main, limit_s=float(sys.argv[2])))
"""


@asynccontextmanager
async def process(kind: str, limit_s: float = 30.0) -> AsyncIterator[asyncio.subprocess.Process]:
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", PROGRAM, kind, str(limit_s)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert started.stdout is not None
    assert await started.stdout.readline() == b"ready\n"
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_a_process_in_good_order(number: signal.Signals) -> None:
    async with process("good") as started:
        started.send_signal(number)
        out, err = await started.communicate()
        assert out == b"leaving\n"
        assert number.name.encode() in err
        assert started.returncode == 0


async def test_a_second_signal_ends_it_at_once() -> None:
    async with process("slow") as started:
        started.terminate()
        assert started.stdout is not None
        assert await started.stdout.readline() == b"leaving\n"
        started.terminate()
        await started.wait()
        assert started.returncode == 128 + signal.SIGTERM


async def test_leaving_has_a_limit() -> None:
    async with process("slow", limit_s=0.05) as started:
        started.terminate()
        _, err = await started.communicate()
        assert b"stopping took too long" in err
        assert started.returncode == 0


async def test_a_start_that_is_not_possible_says_what_to_do() -> None:
    async with process("refused") as started:
        _, err = await started.communicate()
        assert err == b"there is no folder (make one)\n"
        assert started.returncode == 2


async def test_a_bug_is_logged_with_its_traceback() -> None:
    async with process("broken") as started:
        _, err = await started.communicate()
        assert b"ZeroDivisionError" in err
        assert b'"tier": "test"' in err
        assert started.returncode == 1


async def test_an_aggregator_that_cannot_start_says_every_fault(tmp_path: Path) -> None:
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "aggregator", "--merge-part", "3 zz", "--name", "a"),
        stderr=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    _, err = await started.communicate()
    assert started.returncode == 2
    assert b"3 faults in the settings" in err
    assert b"Traceback" not in err


async def test_a_tier_imports_nothing_that_it_does_not_need() -> None:
    heavy = ["typer", "rich", "prometheus_client", "pydantic", "sqlglot", "sqlalchemy", "yaml", "hypothesis"]
    program = f"import sys, aggregator.__main__; print([m for m in {heavy!r} if sys.modules.get(m)])"
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await started.communicate()
    assert out == b"[]\n"
