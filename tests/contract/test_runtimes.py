"""What holds for every runtime."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from fog_node.runtimes.door import open_door
from fog_node.runtimes.runtime import (
    STDERR,
    STDOUT,
    Change,
    Condition,
    ContainerFault,
    Ended,
    NoSuchContainer,
    Output,
    Runtime,
)
from tests.contract.lodging import (
    HANG_S,
    LIMITS,
    Lodging,
    ask,
    becomes,
    docker_lodging,
    found,
    process_lodging,
    said,
    says,
    until_true,
)
from tests.engine import DockerEngine
from tests.registry import Registry

pytestmark = pytest.mark.usefixtures("loop_is_never_blocked")


@pytest.fixture(params=["process", "docker"])
def lodging(request: pytest.FixtureRequest, tmp_path: Path) -> Lodging:
    if request.param == "process":
        return process_lodging(tmp_path)
    engine: DockerEngine = request.getfixturevalue("docker_engine")
    registry: Registry = request.getfixturevalue("registry")
    return docker_lodging(tmp_path, engine, registry)


@pytest.fixture
async def runtime(lodging: Lodging) -> AsyncIterator[Runtime]:
    async with lodging.open() as opened:
        yield opened
        for container in await opened.list():
            await opened.stop(container.id, 0)


async def test_it_says_that_it_can_run_containers(runtime: Runtime) -> None:
    assert await runtime.available() == ""
    assert await runtime.list() == ()


async def test_an_image_that_is_nowhere_is_said_to_be_missing(runtime: Runtime, lodging: Lodging) -> None:
    assert await runtime.present(lodging.image)
    assert not await runtime.present(lodging.absent)
    with pytest.raises(ContainerFault) as fault:
        await runtime.pull(lodging.absent, lambda _: None)
    assert fault.value.reason == "image_missing"
    with pytest.raises(ContainerFault) as fault:
        await runtime.start(replace(lodging.spec("serve"), image=lodging.absent))
    assert fault.value.reason == "image_missing"
    assert await runtime.list() == ()


async def test_a_container_runs_answers_on_its_socket_and_ends_without_a_trace(
    runtime: Runtime, lodging: Lodging
) -> None:
    spec = lodging.spec("serve", greeting="good morning")
    one = await runtime.start(spec)
    heard = await says(runtime, one, "serving")
    seen = await found(runtime, one)
    assert (seen.condition, seen.spec) == (Condition.RUNNING, spec)
    assert seen.socket is not None
    assert await ask(seen.socket, "hello") == "hello good morning"
    await until_true(lambda: _wrote(runtime, one, STDERR, b"a warning\n"))
    assert b"serving" in heard
    assert [output.data for output in await said(runtime, one, tail=1)] != []

    await runtime.stop(one, 0)
    assert await runtime.list() == ()
    assert await asyncio.to_thread(open_door, seen.socket) is None
    await runtime.stop(one, 0)
    with pytest.raises(NoSuchContainer):
        await runtime.usage(one)


async def test_replicas_have_sockets_of_their_own(runtime: Runtime, lodging: Lodging) -> None:
    one = await runtime.start(lodging.spec("serve", greeting="one"))
    two = await runtime.start(lodging.spec("serve", greeting="two", replica=1))
    assert one != two
    for container, greeting in ((one, "one"), (two, "two")):
        await says(runtime, container, "serving")
        socket = (await found(runtime, container)).socket
        assert socket is not None
        assert await ask(socket, "I am") == f"I am {greeting}"


async def test_the_end_of_a_container_is_told_with_code_and_last_words(
    runtime: Runtime, lodging: Lodging
) -> None:
    changes: list[Change] = []
    async with asyncio.TaskGroup() as group:
        listening = group.create_task(_listen(runtime, changes))
        one = await runtime.start(lodging.spec("fail"))
        ended = await becomes(runtime, one, lambda seen: seen.condition is Condition.EXITED)
        await until_true(lambda: _told(changes, one, "exited"))
        listening.cancel()
    assert (ended.exit_code, ended.out_of_memory) == (3, False)
    assert await _wrote(runtime, one, STDERR, b"the model file is missing\n")
    assert [output async for output in runtime.logs(one, tail=9, follow=True)] != []


async def test_one_that_does_not_want_to_end_is_ended(runtime: Runtime, lodging: Lodging) -> None:
    one = await runtime.start(lodging.spec("stubborn"))
    await says(runtime, one, "waiting")
    await runtime.stop(one, 0.2)
    assert await runtime.list() == ()


async def test_a_paused_container_uses_nothing_until_it_goes_on(runtime: Runtime, lodging: Lodging) -> None:
    one = await runtime.start(lodging.spec("burn"))
    await says(runtime, one, "burning")
    await until_true(lambda: _used(runtime, one, 20_000))
    await runtime.pause(one)
    assert (await becomes(runtime, one, lambda seen: seen.condition is Condition.PAUSED)).id == one
    before = (await runtime.usage(one)).cpu_us
    await runtime.unpause(one)
    await until_true(lambda: _used(runtime, one, before + 20_000))
    assert (await found(runtime, one)).condition is Condition.RUNNING
    assert (await runtime.usage(one)).memory_bytes > 1024**2


async def test_limits_change_while_it_runs(runtime: Runtime, lodging: Lodging) -> None:
    one = await runtime.start(lodging.spec("wait"))
    wider = replace(LIMITS, cpu_millis=500, memory_bytes=2 * LIMITS.memory_bytes, pids=64)
    await runtime.update(one, wider)
    seen = await found(runtime, one)
    assert (seen.spec.limits, seen.condition) == (wider, Condition.RUNNING)


async def test_one_that_eats_memory_ends_and_that_is_said(runtime: Runtime, lodging: Lodging) -> None:
    one = await runtime.start(lodging.spec("eat"))
    ended = await becomes(runtime, one, lambda seen: seen.condition is Condition.EXITED)
    assert ended.out_of_memory
    assert ended.exit_code == 137


async def test_a_flood_of_output_is_bounded_and_its_end_is_kept(runtime: Runtime, lodging: Lodging) -> None:
    one = await runtime.start(lodging.spec("flood"))
    heard = 0
    async with asyncio.timeout(HANG_S):
        async for output in runtime.logs(one, tail=1, follow=True):
            heard += len(output.data)
            if heard > 8 * 1024**2:
                break
    kept = sum(len(output.data) for output in await said(runtime, one, tail=10**6))
    assert 0 < kept < 8 * 1024**2
    assert (await found(runtime, one)).condition is Condition.RUNNING


async def test_a_command_runs_inside_with_input_and_code(runtime: Runtime, lodging: Lodging) -> None:
    one = await runtime.start(lodging.spec("wait", greeting="inside"))

    async def given() -> AsyncIterator[bytes]:
        yield b"good "
        yield b"evening"

    script = "import os, sys; print(sys.stdin.read(), os.environ['GREETING']); sys.stderr.write('oops'); sys.exit(7)"
    command = ("/usr/bin/env", "python3", "-c", script)
    heard: list[Output | Ended] = [item async for item in runtime.execute(one, command, given())]
    assert heard[-1] == Ended(7)
    told = {
        channel: b"".join(i.data for i in heard if isinstance(i, Output) and i.channel == channel)
        for channel in (1, 2)
    }
    assert told == {STDOUT: b"good evening inside\n", STDERR: b"oops"}


async def test_what_is_not_there_is_named(runtime: Runtime) -> None:
    for work in (runtime.pause("x"), runtime.unpause("x"), runtime.update("x", LIMITS)):
        with pytest.raises(NoSuchContainer):
            await work
    with pytest.raises(NoSuchContainer):
        async for _ in runtime.logs("x", tail=1, follow=False):
            pass


async def test_another_life_of_the_agent_finds_a_container_or_it_has_ended(lodging: Lodging) -> None:
    async with lodging.open() as first:
        one = await first.start(lodging.spec("serve"))
        await says(first, one, "serving")
        before = await found(first, one)
    async with lodging.open() as second:
        left = await second.list()
        assert left == ((before,) if lodging.survives else ())
        if lodging.survives:
            assert before.socket is not None
            assert await ask(before.socket, "still") == "still"
            await second.stop(one, 0)
            assert await second.list() == ()


async def _listen(runtime: Runtime, changes: list[Change]) -> None:
    async for change in runtime.events():
        changes.append(change)  # noqa: PERF401 - it never ends, and is read meanwhile


async def _told(changes: list[Change], container: str, event: str) -> bool:
    return any((change.id, change.event) == (container, event) for change in changes)


async def _used(runtime: Runtime, container: str, cpu_us: int) -> bool:
    return (await runtime.usage(container)).cpu_us >= cpu_us


async def _wrote(runtime: Runtime, container: str, channel: int, data: bytes) -> bool:
    heard = await said(runtime, container)
    return b"".join(output.data for output in heard if output.channel == channel) == data
