"""The Docker Engine itself fails: hung, away, restarted."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bundles import make_bundle
from tests.conftest import absent
from tests.contract.lodging import GUEST, dial, guest_image
from tests.engine import EngineAbsent, PrivateEngine, private_engine, running_engine
from tests.integration.containers.yard import one_docker, replica, said_nothing, yard

pytestmark = pytest.mark.usefixtures("loop_is_never_blocked")


@pytest.fixture
def engine() -> Iterator[PrivateEngine]:
    try:
        with private_engine() as one:
            yield one
    except EngineAbsent as missing:
        absent(str(missing))


@pytest.fixture
def image(engine: PrivateEngine) -> str:
    with running_engine(engine.url) as client:
        return client.load(guest_image())


async def test_whatever_becomes_of_the_engine_containers_come_back_and_nothing_else_waits(
    engine: PrivateEngine, image: str, tmp_path: Path
) -> None:
    bundle = make_bundle(tmp_path / "bundles", {"__main__.py": GUEST.read_text()})
    docker, process = replica(image, "serve"), replica(bundle, "serve", name="beside", runtime="process")
    async with yard(tmp_path, docker=engine.url) as one:
        one.want(docker)
        first = await one.becomes("guest", "running")

        engine.signal(signal.SIGSTOP)
        await one.becomes("guest", "running", words="docker is away")
        one.want(docker, process)
        await one.becomes("beside", "running")
        assert await dial(one.gateway.up["guest", 0], "still") == "still"
        engine.signal(signal.SIGCONT)
        await said_nothing(one, "guest")
        assert (await one.becomes("guest", "running")).id == first.id

        await asyncio.to_thread(engine.stop)
        await one.becomes("guest", "running", words="docker is away")
        await asyncio.to_thread(engine.start)
        await one_docker(one, lambda container: container != first.id)
        await said_nothing(one, "guest")
        assert await dial(one.gateway.up["guest", 0], "back") == "back"
        assert (await one.becomes("beside", "running")).restarts == 0
        one.want()
        await one.nothing_left()


@pytest.mark.parametrize("flags", [(), ("--live-restore",)], ids=["containers end with it", "live-restore"])
async def test_an_engine_that_is_killed_is_said_and_comes_back_with_the_container_or_another(
    engine: PrivateEngine, image: str, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    await asyncio.to_thread(engine.stop)
    await asyncio.to_thread(engine.start, *flags)
    async with yard(tmp_path, docker=engine.url) as one:
        one.want(replica(image, "serve"))
        first = await one.becomes("guest", "running")
        await asyncio.to_thread(engine.kill)
        await one.becomes("guest", "running", words="docker is away")
        assert await dial(one.gateway.up["guest", 0], "still") == "still"
        await asyncio.to_thread(engine.start, *flags)
        await one_docker(one, lambda container: (container == first.id) is bool(flags))
        await said_nothing(one, "guest")
        assert await dial(one.gateway.up["guest", 0], "back") == "back"
        assert one.gateway.ups == (1 if flags else 2)
        one.want()
        await one.nothing_left()


async def test_an_engine_that_is_away_when_the_node_starts_is_waited_for(
    engine: PrivateEngine, image: str, tmp_path: Path
) -> None:
    await asyncio.to_thread(engine.stop)
    async with yard(tmp_path, docker=engine.url) as one:
        one.want(replica(image, "serve"))
        await one.becomes("guest", "waiting", words="no Docker Engine listens")
        await asyncio.to_thread(engine.start)
        await one.becomes("guest", "running")
        one.want()
        await one.nothing_left()
